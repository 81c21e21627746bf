//! What a check of the store found, as the command line reads it.

use serde::{Deserialize, Serialize};

/// Value of [`Request::Check`](super::Request::Check) and [`Request::RebuildIndex`](super::Request::RebuildIndex).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Whether nothing is wrong, or nothing is left that is.
    pub sound: bool,
    /// Changes in the journal that can be read.
    pub changes: u64,
    /// The newest of them.
    pub last_seq: u64,
    /// Entries of the index that were compared with the journal.
    pub entries: u64,
    /// Stretches of the journal that cannot be read: how many.
    pub lost_count: u64,
    /// The first few dozen of them.
    pub lost: Vec<LostLine>,
    /// What is wrong with the index: how much.
    pub findings_count: u64,
    /// The first few dozen.
    pub findings: Vec<String>,
    /// What was done about it.
    pub repaired: Option<String>,
}

/// A stretch of the journal that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostLine {
    /// What and where, and which Changes are lost.
    pub what: String,
    /// How many; none where nothing follows that tells.
    pub changes: Option<u64>,
    /// Milliseconds since 1970 of the last Change before it.
    pub from_ms: Option<u64>,
    /// Milliseconds since 1970 of the first Change after it.
    pub until_ms: Option<u64>,
}
