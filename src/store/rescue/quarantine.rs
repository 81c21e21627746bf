//! Where an index that cannot be used is kept, for somebody who wants to look at it, and for how long: the newest few,
//! while they are small enough.

use crate::base::limits::{QUARANTINE_BYTES_MAX, QUARANTINES_KEPT};
use crate::store::rescue::INDEX;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const PREFIX: &str = "quarantine-";
/// What the database can make anew by itself: its snapshots, and its few settings, which are always ours.
const SNAPSHOT: &str = "snap.";
const SETTINGS: &str = "conf";
/// How the name of a snapshot ends until all of it is written.
const HALF_WRITTEN: &str = ".generating";
/// Bytes of a snapshot's length, between it and its checksum.
const SNAPSHOT_LENGTH_BYTES: usize = 8;

/// Sets the index aside, so that the next opening finds none; says where it lies now, or nothing if there was none.
pub fn set_index_aside(data: &Path) -> io::Result<Option<PathBuf>> {
    let index = data.join(INDEX);
    if !index.exists() {
        return Ok(None);
    }
    keep(data, &index).map(Some)
}

/// Keeps a folder in the data folder as the newest of those set aside.
pub fn keep(data: &Path, folder: &Path) -> io::Result<PathBuf> {
    let kept = next(data)?;
    fs::rename(folder, &kept)?;
    File::open(data)?.sync_all()?;
    Ok(kept)
}

/// Sets aside what is broken and can be spared: snapshots that are half written or damaged, on which the database gives
/// up instead of doing without, and damaged settings, which it believes. Says where they lie; nothing if all is well.
pub fn set_broken_parts_aside(data: &Path) -> io::Result<Option<PathBuf>> {
    let index = data.join(INDEX);
    let Ok(entries) = fs::read_dir(&index) else { return Ok(None) };
    let mut going = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_broken = match name.strip_prefix(SNAPSHOT) {
            Some(number) => number.ends_with(HALF_WRITTEN) || !is_whole(&path, SNAPSHOT_LENGTH_BYTES),
            None => name == SETTINGS && !is_whole(&path, 0),
        };
        if is_broken {
            going.push(path.clone());
        }
    }
    if going.is_empty() {
        return Ok(None);
    }
    let kept = next(data)?;
    fs::create_dir(&kept)?;
    for path in going {
        fs::rename(&path, kept.join(path.file_name().unwrap_or_default()))?;
    }
    File::open(&index)?.sync_all()?;
    File::open(data)?.sync_all()?;
    Ok(Some(kept))
}

/// Whether the checksum at the end of one of the database's small files is right; `skipped` bytes before it are not
/// part of it.
fn is_whole(path: &Path, skipped: usize) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    let parts = bytes.split_last_chunk::<4>();
    let checked = |bytes: &[u8]| bytes.len().checked_sub(skipped).filter(|length| *length > 0);
    parts.is_some_and(|(bytes, sum)| {
        checked(bytes).is_some_and(|length| crc32fast::hash(&bytes[..length]) == u32::from_le_bytes(*sum))
    })
}

/// Removes the oldest folders until few and small enough are left; the newest stays in any case.
pub fn remove_oldest(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut numbers = numbers(data)?;
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    let (mut bytes, mut removed) = (0u64, Vec::new());
    for (place, number) in numbers.into_iter().enumerate() {
        let folder = path(data, number);
        bytes = bytes.saturating_add(size(&folder)?);
        if place > 0 && (place >= QUARANTINES_KEPT || bytes > QUARANTINE_BYTES_MAX) {
            fs::remove_dir_all(&folder)?;
            removed.push(folder);
        }
    }
    Ok(removed)
}

fn path(data: &Path, number: u32) -> PathBuf {
    data.join(format!("{PREFIX}{number}"))
}

/// A higher number than any there is, so that they lie in the order they were made.
fn next(data: &Path) -> io::Result<PathBuf> {
    Ok(path(data, numbers(data)?.into_iter().max().unwrap_or(0) + 1))
}

fn numbers(data: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name();
        let number: Option<u32> = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        numbers.extend(number.filter(|number| *number < u32::MAX));
    }
    Ok(numbers)
}

/// Bytes of the files in a folder and the folders in it; an index has one level of them.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(data: &Path, bytes: usize) {
        fs::create_dir(data.join(INDEX)).expect("there is none");
        fs::write(data.join("index/db"), vec![7; bytes]).expect("it can be written");
        fs::write(data.join("index/snap.1"), "a snapshot").expect("it can be written");
    }

    #[test]
    fn the_newest_few_are_kept_and_never_too_much() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let data = temp.path();
        for number in 1..=5 {
            index(data, 10);
            let kept = set_index_aside(data).expect("it can be set aside");
            assert_eq!(kept, Some(data.join(format!("quarantine-{number}"))));
            let removed = remove_oldest(data).expect("they can be removed");
            let oldest = number as usize > QUARANTINES_KEPT;
            assert_eq!(removed.len(), usize::from(oldest), "{number}");
        }
        assert_eq!(numbers(data).expect("it can be read").len(), QUARANTINES_KEPT);
        assert!(data.join("quarantine-5/db").exists());
        assert_eq!(set_index_aside(data).expect("nothing to do"), None);
        let file = File::create(data.join("quarantine-5/large")).expect("it can be made");
        file.set_len(QUARANTINE_BYTES_MAX + 1).expect("it takes no room");
        assert_eq!(remove_oldest(data).expect("they can be removed").len(), QUARANTINES_KEPT - 1);
        assert!(data.join("quarantine-5/db").exists(), "the newest stays in any case");
    }

    #[test]
    fn only_what_is_broken_and_can_be_spared_goes() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let (data, index) = (temp.path(), temp.path().join(INDEX));
        let open = || crate::store::index::sled::SledKv::open(&index).expect("it opens");
        open().write(&[(b"k".to_vec().into(), Some(b"v"[..].into()))]).expect("it takes a write");
        drop(open());
        let names = || {
            let names = fs::read_dir(&index).expect("it is there").map(|entry| entry.expect("a name").path());
            names.filter(|path| path.is_file()).collect::<Vec<_>>()
        };
        let whole = names();
        assert!(whole.iter().any(|path| path.to_string_lossy().contains(SNAPSHOT)), "{whole:?}");
        assert_eq!(set_broken_parts_aside(data).expect("it can be read"), None, "all is well");
        fs::write(index.join("snap.00FF.generating"), "half a snap").expect("it can be written");
        for path in whole.iter().filter(|path| !path.ends_with("db")) {
            let mut bytes = fs::read(path).expect("it can be read");
            bytes[3] ^= 4;
            fs::write(path, bytes).expect("it can be written");
        }
        let kept = set_broken_parts_aside(data).expect("it can be moved").expect("much was broken");
        assert_eq!(names(), [index.join("db")]);
        assert_eq!(fs::read_dir(kept).expect("it is there").count(), whole.len());
        use crate::store::index::kv::{Kv, Shelf};
        assert_eq!(open().get(b"k").expect("it reads").as_deref(), Some(&b"v"[..]), "nothing is lost");
    }
}
