//! How the C library gives out memory while the node serves. glibc keeps a heap for each of a dozen threads, and what
//! one thread has freed no other takes: a node held twice what it used. It also learns from every large piece that is
//! freed to take the next from a heap instead of from the kernel, and so keeps the 7 MiB of a password's hash for ever.
//! It can be told otherwise only before a program begins, so the program begins once more. musl has one heap and
//! learns nothing.

use super::again::replace;

/// Says that the program has begun with the variables below.
const SAID: &str = "LINNET_ONE_HEAP";

/// What glibc is told: one heap, and its own first bound for pieces that are the kernel's, which stays because it is
/// said.
const ONE_HEAP: [(&str, &str); 3] =
    [(SAID, "1"), ("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Sees to it that all threads share one heap. Called before there are any and before anything is read.
pub fn be_one() {
    if cfg!(not(target_env = "gnu")) || std::env::var_os(SAID).is_some() {
        return;
    }
    // What the operator says of any of these goes first.
    let unsaid = ONE_HEAP.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    let error = replace(unsaid);
    eprintln!("linnet: warning: its threads do not share one heap, so it takes more memory: {error}");
}
