//! What the disk itself can do: appends made durable one after the other, as the journal makes them.

use crate::Outcome;
use crate::stats::now;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, remove_file};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

/// Bytes of the file that is written, reserved before as the journal's segments are.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Appends this many bytes in this folder and syncs, again and again for this long. How long each took.
pub fn floor(folder: &Path, bytes: usize, run: Duration) -> Outcome<Vec<Duration>> {
    let path = folder.join("disk-floor");
    let file = File::options().create(true).truncate(true).write(true).open(&path)?;
    fallocate(&file, FallocateFlags::empty(), 0, FILE_BYTES)?;
    file.sync_all()?;
    let chunk = vec![0xA5; bytes];
    let (mut each, mut at) = (Vec::new(), 0);
    let began = now();
    while now() - began < run {
        let append = now();
        file.write_all_at(&chunk, at)?;
        file.sync_data()?;
        each.push(now() - append);
        at = (at + bytes as u64) % (FILE_BYTES - bytes as u64);
    }
    remove_file(&path)?;
    Ok(each)
}
