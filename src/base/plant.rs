//! Faults planted on purpose, to prove that the tests which look for lost messages find them. Compiled with the
//! feature `plant` alone, and even then asleep until `LINNET_PLANT` names them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a segment in a life too short to fill a real one.
const SMALL_SEGMENT_BYTES: u64 = 128 * 1024;

/// Milliseconds between two checkpoints of the index in such a life.
const SOON_CHECKPOINT_MS: u64 = 700;

/// Files are not synced, though it is said that they were.
pub fn no_sync() -> bool {
    planted("no-sync")
}

/// Answers leave before their group is on the disk.
pub fn early_ack() -> bool {
    planted("early-ack")
}

/// What is to be its topic's state is told to those who listen, acknowledged, and not kept as that.
pub fn forget_retained() -> bool {
    planted("forget-retained")
}

/// One in five of what a session that is away should hear is acknowledged and kept nowhere.
pub fn lose_queued() -> bool {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    planted("lose-queued") && NUMBER.fetch_add(1, Ordering::Relaxed).is_multiple_of(5)
}

/// Packet ids of what is to arrive exactly once are not kept.
pub fn take_twice() -> bool {
    planted("take-twice")
}

/// The file in an index's folder that makes [`panic_when_opened`] panic: it goes where the index goes.
const PANICS: &str = "panics";

/// The database panics when an index that is marked so is opened.
pub fn panic_when_opened(index: &Path) {
    if planted("index-panic") && index.join(PANICS).exists() {
        panic!("planted in the index");
    }
}

/// How long a segment becomes. No fault: a short life comes through many of them.
pub fn segment_bytes(usual: u64) -> u64 {
    if planted("small-segments") { SMALL_SEGMENT_BYTES } else { usual }
}

/// After how long the index is brought up although little waits. No fault: a short life comes through some checkpoints.
pub fn checkpoint_ms(usual: u64) -> u64 {
    if planted("soon-checkpoints") { SOON_CHECKPOINT_MS } else { usual }
}

fn planted(word: &str) -> bool {
    std::env::var("LINNET_PLANT").is_ok_and(|words| words.split(',').any(|planted| planted == word))
}
