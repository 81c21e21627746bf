//! How a node is doing, for `linnet status`: what is not well, what it keeps and writes, and how much room there is.

use crate::base::budget::Budget;
use crate::node::clock::Trust;
use crate::node::health::Severity;
use crate::node::{NodeHandle, Reading};
use serde::{Deserialize, Serialize};

/// How a node is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// What is not well, oldest first.
    pub troubles: Vec<TroubleLine>,
    /// Who speaks for the clock: `machine`, `person` or `nobody`.
    pub clock: String,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// The disk of the data folder, where it is known.
    pub disk: Option<DiskLine>,
    /// What was written since the start.
    pub writes: WriteLine,
}

/// Something that is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleLine {
    /// Such as `disk_full`.
    pub kind: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// What happened and what to do.
    pub text: String,
}

/// The disk of the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskLine {
    /// Its size.
    pub total_bytes: u64,
    /// What may still be used.
    pub free_bytes: u64,
    /// Below so much nothing new is taken.
    pub floor_bytes: u64,
}

/// What the node may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLine {
    /// Bytes of memory in all.
    pub memory_bytes: u64,
    /// Bytes of all caches.
    pub cache_bytes: u64,
    /// Listeners at one time.
    pub sessions: u64,
    /// HTTP connections at one time.
    pub connections: u64,
}

impl From<&Budget> for BudgetLine {
    fn from(budget: &Budget) -> BudgetLine {
        BudgetLine {
            memory_bytes: budget.memory,
            cache_bytes: budget.cache() as u64,
            sessions: budget.sessions as u64,
            connections: budget.connections as u64,
        }
    }
}

/// What was written since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteLine {
    /// Bytes given to the journal's disk.
    pub journal_bytes: u64,
    /// Syncs of the journal.
    pub journal_syncs: u64,
    /// Milliseconds that groups took to the disk, all together.
    pub journal_sync_ms: u64,
    /// Bytes given to the index.
    pub index_bytes: u64,
    /// Syncs of the index.
    pub index_syncs: u64,
    /// Messages posted.
    pub messages: u64,
}

impl Vitals {
    /// How this node is doing now.
    pub fn of(node: &NodeHandle, reading: &Reading) -> Vitals {
        let (written, given) = (node.write_counts(), reading.index_counts());
        let writes = WriteLine {
            journal_bytes: written.bytes(),
            journal_syncs: written.syncs(),
            journal_sync_ms: node.counts().syncs().sum_ms(),
            index_bytes: given.bytes(),
            index_syncs: given.syncs(),
            messages: node.counts().messages(),
        };
        let disk = node.disk.space().map(|space| DiskLine {
            total_bytes: space.total,
            free_bytes: space.free,
            floor_bytes: node.disk.floor(),
        });
        let clock = match reading.clock().standing().trust {
            Trust::Machine => "machine",
            Trust::Person => "person",
            Trust::Nobody => "nobody",
        };
        Vitals {
            troubles: troubles(node),
            clock: clock.to_owned(),
            journal_bytes: reading.journal_size().1,
            index_bytes: reading.index_bytes(),
            disk,
            writes,
        }
    }
}

fn troubles(node: &NodeHandle) -> Vec<TroubleLine> {
    let line = |trouble: crate::node::health::Trouble| {
        let severity = match trouble.kind.severity() {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        TroubleLine {
            kind: trouble.kind.word().to_owned(),
            severity: severity.to_owned(),
            text: trouble.text,
        }
    };
    node.health.current().into_iter().map(line).collect()
}
