//! Small file systems of the rig's own: made, mounted, and always taken away again, also when it is interrupted.

use crate::{Outcome, wrong};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use tokio::signal::unix::{SignalKind, signal};

/// What is mounted now.
static MOUNTED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A mounted file system; dropping it unmounts it.
pub struct Mount {
    pub point: PathBuf,
}

impl Mount {
    /// Mounts with these words before the mount point, which is made.
    pub fn new(words: &[&str], point: &Path) -> Outcome<Mount> {
        if !rustix::process::geteuid().is_root() {
            return Err(wrong("this row mounts file systems and needs root: run tests/run plug as root"));
        }
        fs::create_dir_all(point)?;
        // Known before it is there: an interruption in between must find it.
        mounted(|all| all.push(point.to_owned()));
        let mount = Mount { point: point.to_owned() };
        run(Command::new("mount").args(words).arg(point))?;
        Ok(mount)
    }

    /// A tmpfs of this size.
    pub fn tmpfs(size: &str, point: &Path) -> Outcome<Mount> {
        Mount::new(&["-t", "tmpfs", "-o", &format!("size={size}"), "linnet-plug"], point)
    }

    /// The ext4 in a file, by a loop device.
    pub fn of_image(image: &Path, point: &Path) -> Outcome<Mount> {
        Mount::new(&["-t", "ext4", "-o", "loop", &image.display().to_string()], point)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        unmount(&self.point);
        mounted(|all| all.retain(|point| *point != self.point));
    }
}

fn mounted(change: impl FnOnce(&mut Vec<PathBuf>)) {
    change(&mut MOUNTED.lock().unwrap_or_else(PoisonError::into_inner));
}

fn unmount(point: &Path) {
    // Whoever still has a file open there is killed already; its file goes when the kernel is done with it.
    let _ = Command::new("umount").arg("--lazy").arg(point).output();
}

/// Runs a program; its own words are the error.
pub fn run(command: &mut Command) -> Outcome<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|error| wrong(format!("{program}: {error}")))?;
    let said = || format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim_end());
    if done.status.success() { Ok(()) } else { Err(wrong(said())) }
}

/// From now on an interruption takes away what is mounted before it ends the rig.
pub fn guard() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let (mut interrupt, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    drop(_inside);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = term.recv() => {}
            }
        });
        mounted(|all| all.iter().for_each(|point| unmount(point)));
        std::process::exit(130);
    });
    Ok(())
}
