//! A file system of its own on a loop device, whose kernel counters say what really went to the disk.

use crate::args::Args;
use crate::{Outcome, wrong};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the disk: sparse, so it takes only what is written.
const DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of a sector in `/sys/block/*/stat`, whatever the disk's own are.
const SECTOR_BYTES: u64 = 512;
/// The field of that file that counts sectors written (Documentation/block/stat.rst).
const SECTORS_WRITTEN: usize = 6;

/// A mounted ext4; it goes when it is dropped.
pub struct LoopDisk {
    image: PathBuf,
    device: String,
    folder: PathBuf,
}

impl LoopDisk {
    /// Makes and mounts one; needs root.
    pub fn mount(args: &Args, name: &str) -> Outcome<LoopDisk> {
        fs::create_dir_all(&args.data)?;
        let image = args.data.join(format!("{name}.ext4"));
        let folder = args.data.join(format!("{name}.mounted"));
        File::create(&image)?.set_len(DISK_BYTES)?;
        fs::create_dir_all(&folder)?;
        // Without this the kernel initialises tables in the background, and its writes would count as ours.
        let eager = "lazy_itable_init=0,lazy_journal_init=0";
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-E", eager]).arg(&image))?;
        let device = run(Command::new("losetup").args(["--find", "--show"]).arg(&image))?;
        let disk = LoopDisk { image, device: device.trim().to_owned(), folder };
        run(Command::new("mount").args(["-o", "noatime", &disk.device]).arg(&disk.folder))?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes written to the device so far, once the file system has written what it holds back.
    pub fn written_bytes(&self) -> Outcome<u64> {
        rustix::fs::syncfs(File::open(&self.folder)?)?;
        let name = self.device.trim_start_matches("/dev/");
        let stat = fs::read_to_string(format!("/sys/block/{name}/stat"))?;
        let sectors =
            stat.split_whitespace().nth(SECTORS_WRITTEN).and_then(|field| field.parse::<u64>().ok());
        Ok(sectors.ok_or_else(|| wrong("the disk does not count"))? * SECTOR_BYTES)
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
        let _ = Command::new("losetup").args(["--detach", &self.device]).status();
        let _ = fs::remove_file(&self.image);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Runs it to its end; gives what it printed.
pub fn run(command: &mut Command) -> Outcome<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let ran = command.output().map_err(|error| wrong(format!("{program}: {error}")))?;
    if !ran.status.success() {
        let told = String::from_utf8_lossy(&ran.stderr);
        return Err(wrong(format!("{program} failed, a loop device needs root: {told}")));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
