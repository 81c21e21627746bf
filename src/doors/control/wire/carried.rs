//! What leaves the node as a file and comes back to it, as both ends count it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message of [`Request::Import`](super::Request::Import).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportLine {
    /// The line of its file.
    pub line: u64,
    /// What a line of a JSONL export holds.
    pub record: Value,
}

/// A message that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTaken {
    /// The line of its file.
    pub line: u64,
    /// What does not fit.
    pub why: String,
}

/// Value of [`Request::Import`](super::Request::Import).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Messages that are in the room now.
    pub taken: u64,
    /// Messages that were there already.
    pub known: u64,
    /// Those that were not taken.
    pub refused: Vec<NotTaken>,
}

/// What came in a stream of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Changes of a backup, messages of an export.
    pub entries: u64,
    /// The last sequence in it.
    pub last_seq: u64,
    /// Stretches of the journal that could not be read and are not in it.
    pub damaged: u64,
    /// The first few of them, in words.
    pub damage: Vec<String>,
}

/// Backups that are made by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupLine {
    /// Where they go.
    pub folder: String,
    /// When the last one was begun, in milliseconds since 1970.
    pub last_ms: Option<u64>,
    /// The last sequence in it.
    pub last_seq: Option<u64>,
}
