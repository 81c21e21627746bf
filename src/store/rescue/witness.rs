//! How far the index had got, in a file of its own beside it. Damage to the database is mostly silent: it opens and
//! knows less. An index that knows less than its witness is not trusted.
//!
//! Two slots a sector each, written in turn after the index is synced: a power cut tears at most the one being written,
//! and the other claims less, which is no harm.

use crate::base::id::Seq;
use crate::store::error::StoreError;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const NAME: &str = "index-reached";
const MAGIC: &[u8; 8] = b"linnet-r";
/// Bytes of a slot: a page of any flash card, so that one write never touches both.
const SLOT_BYTES: u64 = 4096;
/// Magic, sequence, checksum of both.
const NOTE_BYTES: usize = 20;

/// The open file.
#[derive(Debug)]
pub struct Witness {
    file: File,
    /// The slot that is written next.
    next: u64,
}

impl Witness {
    /// Opens or makes the witness of a data folder, and says what it claims.
    pub fn open(data: &Path) -> Result<(Witness, Option<Seq>), StoreError> {
        let opened = || -> io::Result<(Witness, Option<Seq>)> {
            let path = data.join(NAME);
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(&path)?;
            if file.metadata()?.len() < 2 * SLOT_BYTES {
                file.set_len(2 * SLOT_BYTES)?;
                file.sync_all()?;
                File::open(data)?.sync_all()?;
            }
            let slots = [read(&file, 0)?, read(&file, 1)?];
            // The slot that claims less is written over.
            let next = u64::from(slots[0] > slots[1]);
            Ok((Witness { file, next }, slots.into_iter().flatten().max()))
        };
        opened().map_err(failed)
    }

    /// What a data folder's witness claims, without making one.
    pub fn claim(data: &Path) -> Option<Seq> {
        let file = File::open(data.join(NAME)).ok()?;
        [read(&file, 0).ok()?, read(&file, 1).ok()?].into_iter().flatten().max()
    }

    /// The index is synced as far as this.
    pub fn note(&mut self, seq: Seq) -> Result<(), StoreError> {
        let mut bytes = [0; NOTE_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&seq.0.to_be_bytes());
        let crc = crc32fast::hash(&bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_be_bytes());
        let written = self.file.write_all_at(&bytes, self.next * SLOT_BYTES);
        written.and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn failed(error: io::Error) -> StoreError {
    StoreError::disk("write", NAME, error)
}

/// What a slot claims; nothing if it was torn or never written.
fn read(file: &File, slot: u64) -> io::Result<Option<Seq>> {
    let mut bytes = [0; NOTE_BYTES];
    match file.read_exact_at(&mut bytes, slot * SLOT_BYTES) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    let number: [u8; 8] = bytes[8..16].try_into().expect("eight bytes");
    let is_whole = bytes.starts_with(MAGIC) && crc32fast::hash(&bytes[..16]).to_be_bytes() == bytes[16..];
    Ok(is_whole.then_some(Seq(u64::from_be_bytes(number))))
}

/// Forgets what the index had reached: it is set aside.
pub fn forget(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_note_counts() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let (mut witness, claim) = Witness::open(data.path()).expect("it is made");
        assert_eq!(claim, None);
        for seq in [5, 9, 12] {
            witness.note(Seq(seq)).expect("it is written");
        }
        let (mut witness, claim) = Witness::open(data.path()).expect("it opens");
        assert_eq!(claim, Some(Seq(12)));
        // The write that is torn is the older slot's: the newer one still stands.
        witness.file.write_all_at(b"torn", witness.next * SLOT_BYTES).expect("it is torn");
        assert_eq!(Witness::claim(data.path()), Some(Seq(12)));
        witness.note(Seq(13)).expect("it is written");
        assert_eq!(Witness::claim(data.path()), Some(Seq(13)));
        forget(data.path()).expect("it can go");
        assert_eq!(Witness::claim(data.path()), None);
    }
}
