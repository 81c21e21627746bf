//! Faults planted on purpose, to prove that the tests which look for lost messages find them. Compiled with the
//! feature `plant` alone, and even then asleep until `LINNET_PLANT` names them.

/// Bytes of a segment in a life too short to fill a real one.
const SMALL_SEGMENT_BYTES: u64 = 128 * 1024;

/// Files are not synced, though it is said that they were.
pub fn no_sync() -> bool {
    planted("no-sync")
}

/// Answers leave before their group is on the disk.
pub fn early_ack() -> bool {
    planted("early-ack")
}

/// How long a segment becomes. No fault: a short life comes through many of them.
pub fn segment_bytes(usual: u64) -> u64 {
    if planted("small-segments") { SMALL_SEGMENT_BYTES } else { usual }
}

fn planted(word: &str) -> bool {
    std::env::var("LINNET_PLANT").is_ok_and(|words| words.split(',').any(|planted| planted == word))
}
