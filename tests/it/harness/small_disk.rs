//! A simulated disk of a size, which others fill and empty too.

use linnet::store::disk::{Disk, DiskFile, SimDisk, Space};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Fill {
    total: u64,
    ours: u64,
    others: u64,
    /// It says that there is room although there is none, as one with a quota does.
    lies: bool,
}

impl Fill {
    fn free(&self) -> u64 {
        self.total.saturating_sub(self.ours + self.others)
    }
}

/// The disk; clones share it.
#[derive(Clone)]
pub struct SmallDisk {
    under: SimDisk,
    fill: Arc<Mutex<Fill>>,
}

struct SmallFile {
    under: Box<dyn DiskFile>,
    fill: Arc<Mutex<Fill>>,
}

impl SmallDisk {
    pub fn new(under: SimDisk, total: u64) -> SmallDisk {
        SmallDisk { under, fill: Arc::new(Mutex::new(Fill { total, ..Fill::default() })) }
    }

    /// Others take all but so many bytes.
    pub fn leave(&self, bytes: u64) {
        let mut fill = self.fill.lock().unwrap();
        fill.others = 0;
        fill.others = fill.free() - bytes;
    }

    /// Whether it says that there is room although there is none.
    pub fn lie(&self, lies: bool) {
        self.fill.lock().unwrap().lies = lies;
    }

    fn file(&self, under: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(SmallFile { under, fill: self.fill.clone() })
    }
}

impl Disk for SmallDisk {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        self.under.create_folder(path)
    }
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.under.create(path)?))
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(self.under.open(path)?))
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.under.list(folder)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.under.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        let bytes = self.under.open(path)?.len()?;
        self.under.remove(path)?;
        let mut fill = self.fill.lock().unwrap();
        fill.ours = fill.ours.saturating_sub(bytes);
        Ok(())
    }
    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.under.sync_folder(path)
    }
    fn space(&self) -> io::Result<Option<Space>> {
        let fill = self.fill.lock().unwrap();
        let free = if fill.lies { fill.total } else { fill.free() };
        Ok(Some(Space { total: fill.total, used: fill.total - free, free }))
    }
    fn reserve(&self, path: &str, bytes: u64) -> io::Result<()> {
        if self.fill.lock().unwrap().free() < bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.create(path)?.truncate(bytes)
    }
}

impl DiskFile for SmallFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.under.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut fill = self.fill.lock().unwrap();
        let (end, length) = (offset + buf.len() as u64, self.under.len()?);
        let grows = end.saturating_sub(length);
        if grows <= fill.free() {
            self.under.write_at(buf, offset)?;
            fill.ours += grows;
            return Ok(());
        }
        // A disk writes what it can before it says that it is full.
        let fits = (length + fill.free()).saturating_sub(offset).min(buf.len() as u64);
        self.under.write_at(&buf[..fits as usize], offset)?;
        fill.ours += (offset + fits).saturating_sub(length);
        Err(io::ErrorKind::StorageFull.into())
    }
    fn sync_data(&self) -> io::Result<()> {
        self.under.sync_data()
    }
    fn len(&self) -> io::Result<u64> {
        self.under.len()
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut fill = self.fill.lock().unwrap();
        let grows = bytes.saturating_sub(self.under.len()?);
        if grows <= fill.free() {
            self.under.allocate(bytes)?;
            fill.ours += grows;
        }
        Ok(())
    }
    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut fill = self.fill.lock().unwrap();
        let before = self.under.len()?;
        self.under.truncate(bytes)?;
        fill.ours = (fill.ours + bytes).saturating_sub(before);
        Ok(())
    }
}
