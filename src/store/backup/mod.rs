//! Backups: one file that holds every Change up to one sequence, written from front to back and never sought in, so that
//! it can go through a pipe; and the way back from it to a journal.
//!
//! ```text
//! backup   head, head again, any number of changes, (blobs, when there are uploads), end
//! frame    mark, kind, number of the frame, body length, crc of the body, crc of all of these; body
//! head     magic, format, salt, node, when, last sequence, program's version; padded with zeros to 4 KiB
//! changes  Changes in the frames before; then of each: sequence, length, the bytes of its journal frame
//! end      what is in it, what of the journal could not be read, SHA-256 of every byte before this frame
//! ```
//!
//! All numbers are little endian. Checksums behind the head also cover a salt drawn for this backup, as the journal's
//! do: whoever looks for the next good frame behind a damaged one cannot be fooled by a message that looks like one.
//! A file that was cut has no end record, and is thereby known. There are no uploads yet: the kind of their frames is
//! set aside and nothing writes it.

mod error;
pub mod folder;
mod form;
pub mod mend;
mod restore;
mod source;
mod writing;

pub use error::BackupError;
pub use restore::restore;
pub use source::{Gap, Mode, Outcome, Source};
pub use writing::Writing;

use crate::base::time::WallMs;
use crate::store::journal::Damage;

/// The layout written today: raised whenever an older linnet could not read a backup any more.
pub const FORMAT: u32 = 1;

/// What the beginning of a backup says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// By chance, covered by the checksums behind the head.
    pub salt: u64,
    /// The number of the node it was made of.
    pub node: u64,
    /// When it was begun, by that node's wall clock.
    pub created: WallMs,
    /// Whether that clock was trusted.
    pub trusted: bool,
    /// The last sequence: everything acknowledged before it was begun is up to here.
    pub last_seq: u64,
    /// Whether its accounts have passwords that everybody knows.
    pub test_mode: bool,
    /// The version of the program that made it.
    pub version: String,
}

/// What is in a backup, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Changes.
    pub changes: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// The sequence of the last one; 0 when there is none.
    pub last_seq: u64,
    /// Uploads.
    pub blobs: u64,
    /// Stretches of the journal that could not be read when the backup was made.
    pub damaged: u64,
    /// The first few of them.
    pub damage: Vec<Damage>,
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Head,
    Changes,
    Blob,
    End,
}

impl Kind {
    const ALL: [(u8, Kind); 4] = [(1, Kind::Head), (2, Kind::Changes), (3, Kind::Blob), (255, Kind::End)];

    fn code(self) -> u8 {
        Kind::ALL.iter().find(|(_, kind)| *kind == self).map(|(code, _)| *code).expect("all kinds are listed")
    }

    fn of(code: u8) -> Option<Kind> {
        Kind::ALL.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind)
    }
}
