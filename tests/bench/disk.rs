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

/// How often in a second this many bytes can be appended and synced in this folder.
pub fn floor(folder: &Path, bytes: usize, run: Duration) -> Outcome<f64> {
    let path = folder.join("disk-floor");
    let file = File::options().create(true).truncate(true).write(true).open(&path)?;
    fallocate(&file, FallocateFlags::empty(), 0, FILE_BYTES)?;
    file.sync_all()?;
    let chunk = vec![0xA5; bytes];
    let (mut syncs, mut at) = (0, 0);
    let began = now();
    while now() - began < run {
        file.write_all_at(&chunk, at)?;
        file.sync_data()?;
        syncs += 1;
        at = (at + bytes as u64) % (FILE_BYTES - bytes as u64);
    }
    let rate = f64::from(syncs) / (now() - began).as_secs_f64();
    remove_file(&path)?;
    Ok(rate)
}
