//! A disk on which nothing changes: what is written to it goes nowhere, and is answered as if it had been written. For
//! looking at a folder that must stay as it is.

use super::{Disk, DiskFile};
use std::io;
use std::sync::Arc;

/// Another disk, to look at.
pub struct StillDisk(pub Arc<dyn Disk>);

struct StillFile(Box<dyn DiskFile>);

impl Disk for StillDisk {
    fn create_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn create(&self, _: &str) -> io::Result<Box<dyn DiskFile>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(StillFile(self.0.open(path)?)))
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        match self.0.list(folder) {
            // It would have been made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }
    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for StillFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
}
