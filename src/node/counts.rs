//! What the node did since its start, in numbers that are counted as it happens and never measured by looking through
//! what is stored.

use crate::base::limits::SYNC_BUCKETS_MS;
use crate::chat::change::{Change, What};
use crate::chat::refusal::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a write was refused, as it is counted.
pub const REASONS: [&str; 5] = ["busy", "disk_full", "store_failed", "not_allowed", "other"];

/// Counters of one node; they only grow.
#[derive(Debug, Default)]
pub struct NodeCounts {
    messages: AtomicU64,
    shaped: AtomicU64,
    refusals: [AtomicU64; REASONS.len()],
    syncs: Times,
}

impl NodeCounts {
    /// Messages posted and on the disk.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Changes of rooms, users and devices that are on the disk: who shows them looks again when there are more.
    pub fn shaped(&self) -> u64 {
        self.shaped.load(Ordering::Relaxed)
    }

    /// Writes refused, for each of [`REASONS`].
    pub fn refusals(&self) -> [(&'static str, u64); REASONS.len()] {
        std::array::from_fn(|at| (REASONS[at], self.refusals[at].load(Ordering::Relaxed)))
    }

    /// How long groups took to the disk, each a write and a sync.
    pub fn syncs(&self) -> &Times {
        &self.syncs
    }

    pub(super) fn settled(&self, changes: &[Arc<Change>]) {
        let posted = changes.iter().filter(|change| matches!(change.what, What::Posted { .. })).count();
        self.messages.fetch_add(posted as u64, Ordering::Relaxed);
        let shaped = changes.iter().filter(|change| shapes(&change.what)).count();
        self.shaped.fetch_add(shaped as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        let reason = match refusal {
            Refusal::Busy => "busy",
            Refusal::DiskFull => "disk_full",
            Refusal::StoreFailed => "store_failed",
            Refusal::NotAllowed(_) | Refusal::NotLoggedIn | Refusal::TokenUnknown => "not_allowed",
            _ => "other",
        };
        let at = REASONS.iter().position(|known| *known == reason).expect("it is one of them");
        self.refusals[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn synced(&self, took_ms: u64) {
        self.syncs.add(took_ms);
    }
}

/// Whether it is about who and what there is, and not about what is said.
fn shapes(what: &What) -> bool {
    matches!(
        what,
        What::RoomMade(_)
            | What::RoomChanged { .. }
            | What::RoomRemoved { .. }
            | What::UserAdded(_)
            | What::UserChanged(_)
            | What::UserRemoved { .. }
            | What::DeviceSet(_)
    )
}

/// How long something took each time: a small histogram.
#[derive(Debug, Default)]
pub struct Times {
    /// Those that took at most as long as each of [`SYNC_BUCKETS_MS`] and longer than the one before.
    buckets: [AtomicU64; SYNC_BUCKETS_MS.len()],
    count: AtomicU64,
    sum_ms: AtomicU64,
}

impl Times {
    fn add(&self, took_ms: u64) {
        if let Some(at) = SYNC_BUCKETS_MS.iter().position(|most| took_ms <= *most) {
            self.buckets[at].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_ms.fetch_add(took_ms, Ordering::Relaxed);
    }

    /// How often it was.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Milliseconds of all of them together.
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms.load(Ordering::Relaxed)
    }

    /// For each bound, in milliseconds, how many took at most so long.
    pub fn at_most(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut so_far = 0;
        SYNC_BUCKETS_MS.iter().zip(&self.buckets).map(move |(most, bucket)| {
            so_far += bucket.load(Ordering::Relaxed);
            (*most, so_far)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_all_that_were_faster() {
        let times = Times::default();
        [0, 1, 2, 45, 700_000].into_iter().for_each(|took| times.add(took));
        let at_most: Vec<_> = times.at_most().map(|(_, count)| count).collect();
        assert_eq!(at_most, [2, 3, 3, 3, 4, 4, 4, 4, 4]);
        assert_eq!((times.count(), times.sum_ms()), (5, 700_048));
    }
}
