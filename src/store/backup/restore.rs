//! From a backup to a journal. The index is built from it by the next start.

use super::{BackupError, Outcome, Source};
use crate::base::limits::BACKUP_GROUP_BYTES;
use crate::store::disk::Disk;
use crate::store::journal::{self, Options};
use std::io::Read;
use std::sync::Arc;

/// Writes everything a backup holds into the journal of this disk, which must have none. What the backup says of itself
/// was checked to its last byte when this returns.
pub fn restore<R: Read>(
    mut source: Source<R>,
    disk: Arc<dyn Disk>,
    options: Options,
) -> Result<Outcome, BackupError> {
    let journal::Opened { mut appender, mut writer, report, .. } = journal::open(disk, options, None)?;
    assert!(report.last_seq.is_none(), "callers give an empty folder");
    let mut group = Some(appender.begin());
    loop {
        let go_on = source.next_changes(|seq, payload| {
            let full = group
                .as_ref()
                .is_some_and(|group| !group.fits(payload.len()) || group.len_bytes() >= BACKUP_GROUP_BYTES);
            if full && let Some(full) = group.take() {
                writer.write(&appender.finish(full))?;
            }
            group.get_or_insert_with(|| appender.begin()).push(seq, payload);
            Ok(())
        })?;
        if !go_on {
            break;
        }
    }
    if let Some(last) = group.take() {
        writer.write(&appender.finish(last))?;
    }
    Ok(source.finish())
}
