//! Backups that are made by the clock: when the next one is due, and what is said when one was not made.

use crate::base::limits::{BACKUP_BLIND_WAIT_MS, BACKUP_RETRY_MS};
use crate::cli::table::bytes;
use crate::config::ScheduledBackups;
use crate::doors::control::wire::BackupLine;
use crate::node::backup::Pieces;
use crate::node::health::{Trouble, TroubleKind};
use crate::node::{Caller, NodeHandle};
use crate::store::backup::folder::{BackupFolder, Saving};
use crate::store::backup::{Head, Mode, Source};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What makes backups by the clock, and what it made last.
pub struct Schedule {
    node: NodeHandle,
    settings: ScheduledBackups,
    folder: BackupFolder,
    /// Remembers on the node's own disk which folder was chosen.
    memory: PathBuf,
    test_mode: bool,
    last: Mutex<Option<Head>>,
    stopping: AtomicBool,
}

impl Schedule {
    /// Begins to make backups by these settings; `None` when no folder is set.
    pub fn start(
        node: &NodeHandle,
        data: &Path,
        settings: &ScheduledBackups,
        test_mode: bool,
    ) -> Option<Arc<Schedule>> {
        let path = settings.folder.clone()?;
        let number = node.read(|reading| reading.node_number()).ok()?;
        let folder = BackupFolder::new(path, number);
        let last = Mutex::new(newest(&folder));
        let (node, settings, memory) = (node.clone(), settings.clone(), data.join("backup-folder"));
        let stopping = AtomicBool::new(false);
        let schedule = Arc::new(Schedule { node, settings, folder, memory, test_mode, last, stopping });
        tokio::spawn(schedule.clone().run());
        Some(schedule)
    }

    async fn run(self: Arc<Self>) {
        let now = self.node.read(|reading| Ok(reading.now()));
        let now = now.map_or((0, false), |now| (now.wall_ms, now.trusted));
        let mut wait_ms = first_wait_ms(self.last().as_ref(), now, self.settings.every_ms);
        loop {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let schedule = self.clone();
            let made = tokio::task::spawn_blocking(move || schedule.make()).await;
            wait_ms = match made.unwrap_or_else(|_| Err("it broke: report this bug".to_owned())) {
                Ok(head) => {
                    tracing::info!(seq = head.last_seq, "a backup was made");
                    *self.last.lock().expect("no holder of this lock panics") = Some(head);
                    self.node.health.clear(TroubleKind::BackupFailed);
                    self.settings.every_ms
                }
                Err(_) if self.stopping.load(Ordering::Relaxed) => return,
                Err(why) => {
                    let text = format!("No backup was made: {why}.");
                    self.node.health.note(Trouble { kind: TroubleKind::BackupFailed, text });
                    BACKUP_RETRY_MS.min(self.settings.every_ms)
                }
            };
        }
    }

    /// Gives up the one that is being made, which leaves nothing behind.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The last one, for the operator.
    pub fn line(&self) -> BackupLine {
        let last = self.last();
        BackupLine {
            folder: self.settings.folder.as_ref().map_or(String::new(), |path| path.display().to_string()),
            last_ms: last.as_ref().map(|head| head.created),
            last_seq: last.map(|head| head.last_seq),
        }
    }

    fn last(&self) -> Option<Head> {
        self.last.lock().expect("no holder of this lock panics").clone()
    }

    /// Makes one. The older ones go only when it is whole and on the disk.
    fn make(&self) -> Result<Head, String> {
        self.folder.claim(&self.memory)?;
        self.folder.sweep(usize::MAX).map_err(|error| format!("the folder cannot be cleared up: {error}"))?;
        let begun = self.node.read(|reading| {
            let permit = reading.may_back_up(&Caller::Operator)?;
            Ok((reading.back_up(&permit, self.test_mode)?, reading.journal_bytes()))
        });
        let (mut backup, needed) = begun.map_err(|refusal| format!("it cannot begin: {refusal:?}"))?;
        let free = self.folder.free().map_err(|error| format!("the folder cannot be looked at: {error}"))?;
        if free < needed {
            return Err(format!("it needs {} and {} are free there", bytes(needed), bytes(free)));
        }
        let failed = |error: std::io::Error| format!("it cannot be written: {error}");
        let mut saving = Saving::begin(&self.folder.place(backup.head()), true).map_err(failed)?;
        while let Some(piece) = backup.next_piece().map_err(|_| "the store failed".to_owned())? {
            if self.stopping.load(Ordering::Relaxed) {
                return Err("the node stops".to_owned());
            }
            saving.write_all(&piece).map_err(failed)?;
        }
        saving.keep().map_err(failed)?;
        self.folder
            .sweep(self.settings.keep)
            .map_err(|error| format!("old ones cannot be removed: {error}"))?;
        Ok(backup.head().clone())
    }
}

/// What the newest backup in the folder says of itself.
fn newest(folder: &BackupFolder) -> Option<Head> {
    let path = folder.kept().ok()?.into_iter().next()?.path;
    let source = Source::open(File::open(path).ok()?, Mode::Whole).ok()?;
    Some(source.head().clone())
}

/// Milliseconds until the first backup after a start. What a clock says counts only where it was set, then and now:
/// without one, a node that starts again and again must not push its older backups out with new ones.
fn first_wait_ms(newest: Option<&Head>, (now, trusted): (u64, bool), every_ms: u64) -> u64 {
    match newest {
        None => 0,
        Some(head) if head.trusted && trusted && head.created <= now => {
            every_ms.saturating_sub(now - head.created)
        }
        Some(_) => every_ms.min(BACKUP_BLIND_WAIT_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_backup_after_a_start_is_made_when_it_is_due() {
        let day = 24 * 3_600_000;
        let of = |created, trusted| Head { created, trusted, ..Head::default() };
        let check = |head: Option<Head>, now, wait| assert_eq!(first_wait_ms(head.as_ref(), now, day), wait);
        check(None, (5 * day, false), 0);
        check(Some(of(3 * day, true)), (5 * day, true), 0);
        check(Some(of(3 * day, true)), (3 * day + 5, true), day - 5);
        for (head, now) in [
            (of(3 * day, true), (9 * day, false)),
            (of(3 * day, false), (9 * day, true)),
            (of(9 * day, true), (3 * day, true)),
        ] {
            check(Some(head), now, BACKUP_BLIND_WAIT_MS);
        }
    }
}
