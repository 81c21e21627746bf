//! The disk as the journal sees it: a few calls whose promises are those of a real disk and no more.
//! What was written is kept for certain only after a sync, of the file for its bytes and of the folder for its names.

mod os;
mod sim;
mod still;

use std::io;

pub use os::OsDisk;
pub use sim::{SimCounts, SimDisk};
pub use still::StillDisk;

/// A tree of files under one root. Paths are relative and `/`-separated; the root itself is `""`.
pub trait Disk: Send + Sync {
    /// Makes a folder; one that exists already is fine.
    fn create_folder(&self, path: &str) -> io::Result<()>;
    /// Makes a new file; fails if the name is taken.
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that exists, to read and write.
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;
    /// The names in a folder, in no particular order.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Gives a file another name, replacing a file that had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file's name.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Returns once the names in this folder are kept.
    fn sync_folder(&self, path: &str) -> io::Result<()>;
    /// How much there is and how much of it is free; `None` where nobody knows.
    fn space(&self) -> io::Result<Option<Space>> {
        Ok(None)
    }
    /// Makes a file that really takes this many bytes, and is kept. Without room for all of it there is none.
    fn reserve(&self, path: &str, bytes: u64) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("{bytes} bytes cannot be reserved for {path}"),
        ))
    }
}

/// How much a disk holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Space {
    /// Bytes of the file system.
    pub total: u64,
    /// Bytes in use by anybody.
    pub used: u64,
    /// Bytes that we may still use.
    pub free: u64,
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Reads what is there, up to the buffer's length; 0 at or after the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `buf`; a failed write may have written any part of it.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Returns once the bytes and the length are kept. A sync that failed must never be retried: the kernel may
    /// have forgotten what it could not write.
    fn sync_data(&self) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// True for a file without bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reserves space so that the file has at least this many bytes, new ones zero; does nothing where the file
    /// system cannot.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
    /// Cuts the file, or grows it with zeros, to this many bytes.
    fn truncate(&self, bytes: u64) -> io::Result<()>;
}
