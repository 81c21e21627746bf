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
    /// What is lost for good and was known before: no reason for this report not to be sound.
    #[serde(default)]
    pub lost_earlier: Vec<EarlierLine>,
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

/// What was known to be lost before a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierLine {
    /// The first and the last number of the Changes among which they are.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// How many of these are lost.
    pub changes: u64,
    /// Milliseconds since 1970 of the last Change before them.
    pub from_ms: Option<u64>,
    /// Milliseconds since 1970 of the first Change after them.
    pub until_ms: Option<u64>,
    /// Since when it is known, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Whether somebody said that they know: then it is no trouble of the node any more.
    pub accepted: bool,
}

impl EarlierLine {
    /// Whether it tells of nothing but these numbers.
    pub fn is_within(&self, first: u64, last: u64) -> bool {
        first <= self.first && self.last <= last
    }
}
