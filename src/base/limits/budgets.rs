//! The ends of what a board's budget, or a setting in its place, may give.

/// MiB of memory below which no budget goes: an idle node needs some ten of them.
pub const BUDGET_MEMORY_MIB_MIN: u32 = 16;
/// A budget is at most so much of the machine's memory, one in so many: the rest is the system's and the page cache's.
pub const BUDGET_MACHINE_PART: u64 = 4;
/// Bytes of all caches at least: what the index needs, and as much again for the newest Changes.
pub const BUDGET_CACHE_BYTES_MIN: usize = 2 * 1024 * 1024;
/// Bytes of all caches at most: the index of a million messages fits.
pub const BUDGET_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the index's page cache at least: it divides them by 256, and each part has to hold a page. It does not bound
/// the memory of the index, but a small one keeps it small.
pub const INDEX_CACHE_BYTES_MIN: usize = 1024 * 1024;
/// Realtime sessions at least: a household.
pub const BUDGET_SESSIONS_MIN: usize = 16;
/// HTTP connections at least: two browsers with six each, and some devices.
pub const BUDGET_CONNECTIONS_MIN: usize = 16;
/// Passwords hashed at one time at most: each takes a core and 7 MiB for as long as it lasts.
pub const HASHERS_MAX: usize = 2;
/// Bytes read of what the device tree calls the machine.
pub const MODEL_BYTES_MAX: u64 = 256;
