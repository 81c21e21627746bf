//! Gives back the room that the database took and no longer needs: its file never shrinks by itself.
//!
//! All keys are copied into a fresh database beside the old one, which is read again from the disk and compared before
//! it takes the old one's place. The names say how far that got, and [`tidy`] goes on from any of them:
//!
//! | there is | a start |
//! |---|---|
//! | `index`, `index.new` | removes the copy, whole or not |
//! | `index.old`, `index.new` | removes the copy and takes the old one back |
//! | `index`, `index.old` | removes the old one |

use crate::base::limits::{
    DISK_FLOOR_BYTES_MIN, INDEX_BATCH_WRITES, INDEX_COMPACT_BYTES_MIN, INDEX_COMPACT_SLACK_BYTES,
    INDEX_COMPACT_TIMES, INDEX_ROOM_BYTES,
};
use crate::store::disk::{Disk, OsDisk};
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Write};
use crate::store::index::sled::SledKv;
use crate::store::keys;
use crate::store::rescue::INDEX;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const NEW: &str = "index.new";
const OLD: &str = "index.old";
/// What was found at the last look, so that a start need not look again in vain.
const NOTE: &str = "index-compacted";
/// Two numbers and a checksum of both.
const NOTE_BYTES: usize = 20;
/// Above every key.
const LAST: [u8; 1] = [0xFF];

/// What was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Bytes of the database before.
    pub before: u64,
    /// And after.
    pub after: u64,
}

/// Where the index lies, also when it was just about to get its name.
pub fn place(data: &Path) -> PathBuf {
    let (index, old) = (data.join(INDEX), data.join(OLD));
    if !index.exists() && old.exists() { old } else { index }
}

/// Puts right what a compaction that was cut short left. Says whether there was one that had not got far.
pub(super) fn tidy(data: &Path) -> io::Result<bool> {
    let [index, new, old] = [INDEX, NEW, OLD].map(|name| data.join(name));
    let is_cut = new.exists();
    if is_cut {
        fs::remove_dir_all(&new)?;
    }
    if old.exists() {
        match index.exists() {
            true => fs::remove_dir_all(&old)?,
            false => fs::rename(&old, &index)?,
        }
        File::open(data)?.sync_all()?;
    }
    Ok(is_cut)
}

/// Whether a look at all keys of an index of so many bytes may be worth it.
pub(super) fn is_due(data: &Path, bytes: u64) -> bool {
    let Note { live, least } = Note::read(data).unwrap_or_default();
    bytes > INDEX_COMPACT_BYTES_MIN && bytes > INDEX_COMPACT_TIMES * live && bytes > 2 * least
}

/// What was known at the last look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Note {
    /// Bytes of all keys and values.
    live: u64,
    /// Bytes that the database takes at least: those of the last fresh one.
    least: u64,
}

impl Note {
    fn read(data: &Path) -> Option<Note> {
        let bytes: [u8; NOTE_BYTES] = fs::read(data.join(NOTE)).ok()?.try_into().ok()?;
        let number = |at: usize| Some(u64::from_be_bytes(bytes[at..at + 8].try_into().ok()?));
        let is_whole = crc32fast::hash(&bytes[..16]).to_be_bytes() == bytes[16..];
        is_whole.then_some(Note { live: number(0)?, least: number(8)? })
    }

    /// It is not synced: without it a start looks once more.
    fn write(&self, data: &Path) {
        let mut bytes = [self.live.to_be_bytes(), self.least.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        if let Err(error) = fs::write(data.join(NOTE), bytes) {
            tracing::warn!(%error, "the next start looks through the index again");
        }
    }
}

/// What an index holds, in few words.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sum {
    entries: u64,
    bytes: u64,
    crc: u32,
}

impl Sum {
    fn of(kv: &SledKv) -> Result<Sum, StoreError> {
        let (mut sum, mut crc) = (Sum::default(), crc32fast::Hasher::new());
        each_page(kv, |page| {
            for (key, value) in page {
                for part in [&key[..], value.as_deref().unwrap_or_default()] {
                    crc.update(&(part.len() as u64).to_be_bytes());
                    crc.update(part);
                    sum.bytes += part.len() as u64;
                }
                sum.entries += 1;
            }
            Ok(())
        })?;
        Ok(Sum { crc: crc.finalize(), ..sum })
    }
}

/// Goes through all entries in the order of their keys, a batch at a time.
fn each_page(
    kv: &SledKv,
    mut take: impl FnMut(Vec<Write>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = Vec::new();
    loop {
        let page = kv.scan(&from, &LAST, INDEX_BATCH_WRITES)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from = [&last[..], &[0]].concat();
        take(page.into_iter().map(|(key, value)| (key, Some(value))).collect())?;
    }
}

/// How a look ended.
pub(super) enum Looked {
    /// The index stays as it is.
    Kept(SledKv),
    /// It is closed and has to be opened again, compacted or not.
    Closed(Option<Given>),
}

/// Compacts the index if that gives much back. It is an error when the old one cannot be read; when the new one cannot
/// be made, the old one goes on.
pub(super) fn compact(data: &Path, kv: SledKv) -> Result<Looked, StoreError> {
    let (before, sum) = (kv.bytes_on_disk(), Sum::of(&kv)?);
    let allowed = INDEX_COMPACT_TIMES * sum.bytes + INDEX_COMPACT_SLACK_BYTES;
    if before <= INDEX_COMPACT_TIMES * sum.bytes || !has_room(data, allowed) {
        let least = Note::read(data).unwrap_or_default().least;
        Note { live: sum.bytes, least }.write(data);
        return Ok(Looked::Kept(kv));
    }
    let tried = Note { live: sum.bytes, least: before };
    if let Err(error) = copy(&kv, &data.join(NEW), allowed.min(before)) {
        give_up(data, &error, tried);
        return Ok(Looked::Kept(kv));
    }
    kv.close(&data.join(INDEX))?;
    let after = match verify(&data.join(NEW), sum) {
        Ok(after) => after,
        Err(error) => {
            give_up(data, &error, tried);
            return Ok(Looked::Closed(None));
        }
    };
    switch(data).map_err(|error| StoreError::disk("compact", INDEX, error))?;
    Note { live: sum.bytes, least: after }.write(data);
    Ok(Looked::Closed(Some(Given { before, after })))
}

fn has_room(data: &Path, bytes: u64) -> bool {
    let needed = bytes + INDEX_ROOM_BYTES + DISK_FLOOR_BYTES_MIN;
    let has = OsDisk::new(data.to_owned()).space().is_ok_and(|space| space.is_none_or(|s| s.free >= needed));
    if !has {
        tracing::warn!(needed, "the index is not compacted: the disk has no room for a copy");
    }
    has
}

/// It is tried again when the index is twice as large.
fn give_up(data: &Path, error: &StoreError, tried: Note) {
    tracing::warn!(%error, "the index is not compacted: its copy cannot be made");
    // What cannot be removed now the next start removes.
    if let Err(error) = fs::remove_dir_all(data.join(NEW)) {
        tracing::warn!(%error, "the copy of the index is left behind");
    }
    tried.write(data);
}

/// Copies everything into a fresh database, how far it has followed the journal last of all, and closes it.
fn copy(kv: &SledKv, to: &Path, allowed: u64) -> Result<(), StoreError> {
    let new = SledKv::open(to)?;
    each_page(kv, |mut page| {
        page.retain(|(key, _)| **key != *keys::CHECKPOINT);
        new.write(&page)?;
        match new.bytes_on_disk() > allowed {
            true => Err(StoreError::Index("the copy is no smaller".into())),
            false => Ok(()),
        }
    })?;
    new.sync()?;
    if let Some(checkpoint) = kv.get(keys::CHECKPOINT)? {
        new.write(&[(keys::CHECKPOINT.into(), Some(checkpoint))])?;
        new.sync()?;
    }
    new.close(to)
}

/// Reads all of the new one from the disk. Gives its bytes if it holds what it should.
fn verify(folder: &Path, sum: Sum) -> Result<u64, StoreError> {
    let kv = SledKv::open(folder)?;
    let (found, after) = (Sum::of(&kv)?, kv.bytes_on_disk());
    kv.close(folder)?;
    if found == sum { Ok(after) } else { Err(StoreError::Index("the copy is not what was copied".into())) }
}

fn switch(data: &Path) -> io::Result<()> {
    let [index, new, old] = [INDEX, NEW, OLD].map(|name| data.join(name));
    // What the database wrote when it was closed is kept before anything depends on it.
    for entry in fs::read_dir(&new)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(&new)?.sync_all()?;
    fs::rename(&index, &old)?;
    File::open(data)?.sync_all()?;
    fs::rename(&new, &index)?;
    File::open(data)?.sync_all()?;
    fs::remove_dir_all(&old)
}

/// What was known of an index that is set aside is void.
pub(super) fn forget(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(NOTE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
