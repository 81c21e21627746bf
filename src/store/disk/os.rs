//! The real disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FallocateFlags;
use rustix::io::{Errno, retry_on_intr};

use super::{Disk, DiskFile, Space};

/// Files under one folder of the operating system.
#[derive(Debug, Clone)]
pub struct OsDisk {
    root: PathBuf,
}

impl OsDisk {
    /// The disk under `root`, which is made with the first folder if it is missing.
    pub fn new(root: PathBuf) -> OsDisk {
        OsDisk { root }
    }

    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a path must stay under the data folder",
            ));
        }
        Ok(self.root.join(path))
    }
}

impl Disk for OsDisk {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        create_folder_kept(&self.root)?;
        match fs::create_dir(self.place(path)?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.place(path)?)?;
        Ok(Box::new(OsFile(file)))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.place(path)?)?;
        Ok(Box::new(OsFile(file)))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.place(folder)?)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.place(from)?, self.place(to)?)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.place(path)?)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        File::open(self.place(path)?)?.sync_all()
    }

    fn space(&self) -> io::Result<Option<Space>> {
        let found = rustix::fs::statvfs(&self.root)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        let (total, unused, free) = (bytes(found.f_blocks), bytes(found.f_bfree), bytes(found.f_bavail));
        // Some file systems have no size of their own.
        Ok((total > 0).then_some(Space { total, used: total.saturating_sub(unused), free }))
    }

    fn reserve(&self, path: &str, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(self.place(path)?)?;
        let taken = match retry_on_intr(|| rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes)) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(&file, bytes),
            other => other.map_err(io::Error::from),
        };
        let kept = taken.and_then(|()| file.sync_all()).and_then(|()| self.sync_folder(""));
        kept.inspect_err(|_| drop(self.remove(path)))
    }
}

fn write_zeros(file: &File, bytes: u64) -> io::Result<()> {
    let zeros = [0; 64 * 1024];
    let mut done = 0;
    while done < bytes {
        let part = (bytes - done).min(zeros.len() as u64);
        file.write_all_at(&zeros[..part as usize], done)?;
        done += part;
    }
    Ok(())
}

/// Makes a folder and its missing parents, each kept in the one above: a root whose name is lost in a power cut
/// takes everything in it along.
fn create_folder_kept(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    create_folder_kept(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    File::open(above)?.sync_all()
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        #[cfg(feature = "plant")]
        if crate::base::plant::no_sync() {
            return Ok(());
        }
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        match retry_on_intr(|| rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, bytes)) {
            // Without room for all of it the file grows as it is written, until the disk is really full.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOSPC) => Ok(()),
            other => Ok(other?),
        }
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
}
