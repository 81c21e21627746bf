//! How far the index had got, in a file of its own beside it. Damage to the database is mostly silent: it opens and
//! knows less. An index that knows less than its witness is not trusted.
//!
//! Two slots a sector each, written in turn after the index is synced: a power cut tears at most the one being written,
//! and the other claims less, which is no harm.
//!
//! What the index had followed the journal held: the witness also tells when the end of the journal is gone. When the
//! index is set aside, what its witness claimed is therefore kept under another name until a start finds that the
//! journal reaches as far.

use crate::base::id::Seq;
use crate::store::error::StoreError;
use crate::store::index::settled::Checkpoint;
use crate::store::journal::Pos;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const NAME: &str = "index-reached";
/// What was claimed by the witnesses of indexes that are set aside.
const FORMER: &str = "journal-reached";
const MAGIC: &[u8; 8] = b"linnet-R";
/// Of a note without the place, as it was written before.
const PLACELESS_MAGIC: &[u8; 8] = b"linnet-r";
/// Bytes of a slot: a page of any flash card, so that one write never touches both.
const SLOT_BYTES: u64 = 4096;
/// Magic, sequence, place, checksum of these.
const NOTE_BYTES: usize = 28;

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
        let opened = || -> io::Result<(Witness, Option<Checkpoint>)> {
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
            let next = u64::from(slots[0].map(|note| note.seq) > slots[1].map(|note| note.seq));
            Ok((Witness { file, next }, newest(slots)))
        };
        opened().map(|(witness, note)| (witness, note.map(|note| note.seq))).map_err(failed)
    }

    /// What a data folder's witness claims, without making one.
    pub fn claim(data: &Path) -> Option<Seq> {
        claimed_by(data, NAME).map(|note| note.seq)
    }

    /// How far the journal reached, as this witness or one before it knew: the end of a group that was kept. The place
    /// is 0 where nobody noted it.
    pub fn of_journal(data: &Path) -> Option<Checkpoint> {
        newest([claimed_by(data, NAME), claimed_by(data, FORMER)])
    }

    /// The index is synced as far as this.
    pub fn note(&mut self, reached: Checkpoint) -> Result<(), StoreError> {
        let mut bytes = [0; NOTE_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&reached.seq.0.to_be_bytes());
        bytes[16..24].copy_from_slice(&reached.end.0.to_be_bytes());
        let crc = crc32fast::hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&crc.to_be_bytes());
        let written = self.file.write_all_at(&bytes, self.next * SLOT_BYTES);
        written.and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn failed(error: io::Error) -> StoreError {
    StoreError::disk("write", NAME, error)
}

fn newest(notes: [Option<Checkpoint>; 2]) -> Option<Checkpoint> {
    notes.into_iter().flatten().max_by_key(|note| note.seq)
}

fn claimed_by(data: &Path, name: &str) -> Option<Checkpoint> {
    let file = File::open(data.join(name)).ok()?;
    newest([read(&file, 0).ok()?, read(&file, 1).ok()?])
}

/// What a slot claims; nothing if it was torn or never written.
fn read(file: &File, slot: u64) -> io::Result<Option<Checkpoint>> {
    let mut bytes = [0; NOTE_BYTES];
    match file.read_exact_at(&mut bytes, slot * SLOT_BYTES) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        Err(_) => return Ok(None),
        Ok(()) => {}
    }
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let checks = |at: usize| crc32fast::hash(&bytes[..at]).to_be_bytes() == bytes[at..at + 4];
    let (seq, end) = (Seq(number(8)), Pos(number(16)));
    if bytes.starts_with(MAGIC) && checks(24) {
        return Ok(Some(Checkpoint { end, seq }));
    }
    let is_placeless = bytes.starts_with(PLACELESS_MAGIC) && checks(16);
    Ok(is_placeless.then_some(Checkpoint { end: Pos::default(), seq }))
}

/// Forgets what the index had reached: it is set aside. That the journal reached as far is not forgotten.
pub fn forget(data: &Path) -> io::Result<()> {
    let [index, former] = [NAME, FORMER].map(|name| claimed_by(data, name).map(|note| note.seq));
    let forgotten = match index > former {
        true => fs::rename(data.join(NAME), data.join(FORMER)),
        false => fs::remove_file(data.join(NAME)),
    };
    match forgotten {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The journal reaches as far as anybody ever claimed.
pub fn settled(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(FORMER)) {
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
        let at = |seq: u64| Checkpoint { end: Pos(seq * 100), seq: Seq(seq) };
        for seq in [5, 9, 12] {
            witness.note(at(seq)).expect("it is written");
        }
        let (mut witness, claim) = Witness::open(data.path()).expect("it opens");
        assert_eq!(claim, Some(Seq(12)));
        // The write that is torn is the older slot's: the newer one still stands.
        witness.file.write_all_at(b"torn", witness.next * SLOT_BYTES).expect("it is torn");
        assert_eq!(Witness::claim(data.path()), Some(Seq(12)));
        witness.note(at(13)).expect("it is written");
        assert_eq!(Witness::claim(data.path()), Some(Seq(13)));
        forget(data.path()).expect("it can go");
        assert_eq!(Witness::claim(data.path()), None);
        assert_eq!(Witness::of_journal(data.path()), Some(at(13)), "the journal reached as far all the same");
    }

    #[test]
    fn what_the_journal_reached_outlives_every_index() {
        let data = tempfile::tempdir().expect("a temporary folder");
        for (seq, known) in [(40, 40), (7, 40), (90, 90)] {
            let (mut witness, _) = Witness::open(data.path()).expect("it is made");
            witness.note(Checkpoint { end: Pos(seq), seq: Seq(seq) }).expect("it is written");
            forget(data.path()).expect("it can go");
            assert_eq!(Witness::of_journal(data.path()).map(|note| note.seq), Some(Seq(known)));
        }
        settled(data.path()).expect("it can go");
        assert_eq!(Witness::of_journal(data.path()), None);
    }

    #[test]
    fn a_note_of_former_days_counts_without_its_place() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut bytes = [&PLACELESS_MAGIC[..], &77u64.to_be_bytes()[..]].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.resize(2 * SLOT_BYTES as usize, 0);
        fs::write(data.path().join(NAME), bytes).expect("it is written");
        assert_eq!(Witness::of_journal(data.path()), Some(Checkpoint { end: Pos(0), seq: Seq(77) }));
    }
}
