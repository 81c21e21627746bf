//! What went wrong with stored bytes, in words for the operator. Callers of the node never see these.

use std::fmt;
use std::io;

use crate::store::journal::{Damage, Pos};
use crate::store::record::RecordError;

/// A failure of the disk or of what lies on it: the operator must be told.
#[derive(Debug)]
pub enum StoreError {
    /// The disk refused an operation.
    Disk {
        /// What was being done, as a verb: `write`, `sync`, `open`.
        doing: &'static str,
        /// The file or folder, relative to the data folder.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A stretch of the journal is not what was written there.
    Damaged(Damage),
    /// No frame, or a damaged one, lies at this place.
    NoFrame {
        /// The place that was asked for.
        pos: Pos,
        /// What was found instead.
        why: &'static str,
    },
    /// The index does not open, read or write; it can be rebuilt from the journal.
    Index(String),
    /// A record of the index or of the journal is not what was written.
    Record(RecordError),
    /// The disk is full: what was to be written was taken back, and nothing else is wrong.
    NoRoom,
    /// The index found no room once, and there is room again: only a start goes on.
    IndexStuck,
    /// An earlier write or sync failed; nothing can be promised any more until a restart.
    Stopped,
    /// A thread of the node ended by a bug.
    Broken,
    /// Segments were rewritten while they were read: read again.
    Condensed,
    /// Segments cannot be rewritten now; nothing has changed.
    CannotCondense {
        /// What stands in the way.
        why: &'static str,
    },
    /// A group came to the writer that does not follow the one before it.
    OutOfOrder {
        /// Where the journal ends.
        end: Pos,
        /// Where the group wanted to lie.
        group: Pos,
    },
}

impl StoreError {
    /// Wraps an error of the disk with what was being done to which path.
    pub fn disk(doing: &'static str, path: &str, source: io::Error) -> StoreError {
        StoreError::Disk { doing, path: path.to_owned(), source }
    }

    /// Whether a full disk is all that is wrong: a write that found no room, never a sync.
    pub fn is_no_room(&self) -> bool {
        let full = |kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        match self {
            StoreError::NoRoom => true,
            StoreError::Disk { doing, source, .. } => *doing != "sync" && full(source.kind()),
            _ => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Disk { doing, path, source } => {
                write!(f, "cannot {doing} {path}: {source}; {}", advice(source))
            }
            StoreError::Damaged(damage) => write!(f, "journal damaged: {damage}; run 'linnet check'"),
            StoreError::NoFrame { pos, why } => {
                write!(f, "no journal frame at {pos}: {why}; run 'linnet check'")
            }
            StoreError::Index(what) => write!(f, "index: {what}; run 'linnet check'"),
            StoreError::Record(error) => error.fmt(f),
            StoreError::NoRoom => f.write_str("the disk is full: free some space"),
            StoreError::IndexStuck => {
                f.write_str("the index could not be written while the disk was full: restart linnet")
            }
            StoreError::Stopped => f.write_str(
                "the journal stopped after an earlier disk error: look at the disk, then restart linnet",
            ),
            StoreError::Broken => f.write_str(
                "a part of the node broke: report this bug with the lines before, then restart linnet",
            ),
            StoreError::Condensed => {
                f.write_str("the journal was condensed while it was read: ask once more")
            }
            StoreError::CannotCondense { why } => write!(f, "the journal is not condensed: {why}"),
            StoreError::OutOfOrder { end, group } => {
                write!(f, "a journal group for {group} came while the journal ends at {end}: report this bug")
            }
        }
    }
}

impl From<RecordError> for StoreError {
    fn from(error: RecordError) -> Self {
        StoreError::Record(error)
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => "free some space, then restart linnet",
        io::ErrorKind::PermissionDenied => "give linnet's user the data folder, then restart it",
        io::ErrorKind::ReadOnlyFilesystem => "the card went read-only: check it, then restart linnet",
        _ => "look at the disk or card, then restart linnet",
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Disk { source, .. } => Some(source),
            _ => None,
        }
    }
}
