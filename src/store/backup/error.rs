//! What can be wrong with a backup that is read, in words for the person who needs it.

use crate::store::error::StoreError;
use std::fmt;
use std::io;

/// Why a backup is not taken.
#[derive(Debug)]
pub enum BackupError {
    /// The file or pipe does not read.
    Input(io::Error),
    /// It does not begin as a backup does.
    NotABackup,
    /// A newer linnet made it.
    Newer {
        /// Its format.
        format: u32,
    },
    /// It ends before its end record.
    Cut {
        /// Bytes up to which it was whole.
        at: u64,
    },
    /// Bytes in it are not what was written.
    Damaged {
        /// The first byte of the damaged part.
        at: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// Something follows its end record.
    Followed {
        /// Where the backup ended.
        at: u64,
    },
    /// It is another node's.
    OtherNode,
    /// It is of the same node, but what it says of the same numbers is something else.
    OtherCourse {
        /// The first such number that was seen.
        seq: u64,
    },
    /// What was read cannot be stored.
    Store(StoreError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Input(error) => write!(f, "the backup cannot be read: {error}"),
            BackupError::NotABackup => {
                f.write_str("this is no backup of linnet, or its beginning is damaged")
            }
            BackupError::Newer { format } => {
                write!(f, "a newer linnet made this backup (format {format}): update linnet, then try again")
            }
            BackupError::Cut { at } => write!(f, "the backup is cut short: it is whole up to byte {at}"),
            BackupError::Damaged { at, what } => {
                write!(f, "the backup is damaged at byte {at}: {what}")
            }
            BackupError::Followed { at } => write!(f, "something follows the backup's end at byte {at}"),
            BackupError::OtherNode => f.write_str("this is another node's backup"),
            BackupError::OtherCourse { seq } => {
                write!(f, "this backup tells another course of things than the journal, at Change {seq}")
            }
            BackupError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> BackupError {
        BackupError::Store(error)
    }
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> BackupError {
        BackupError::Input(error)
    }
}
