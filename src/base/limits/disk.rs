//! How much room on the disk is kept, and how often it is looked at.

/// Percent of the disk that is kept free, within the two bounds below; a setting may say otherwise.
pub const DISK_FLOOR_PERCENT: u64 = 5;
/// Bytes kept free at least: what the index may need to write down what waits in memory, twice.
pub const DISK_FLOOR_BYTES_MIN: u64 = 2 * 1024 * 1024;
/// Bytes kept free at most: room to delete, trim and condense for a long time; a card of 2 GB keeps 3 % of itself.
pub const DISK_FLOOR_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Percent of the disk in use at which somebody is warned.
pub const DISK_WARN_PERCENT: u64 = 80;
/// Bytes free above which nobody is warned: years of messages, however large the disk.
pub const DISK_WARN_FREE_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Milliseconds between two looks at how much is free, unless much is written.
pub const DISK_LOOK_MS: u64 = 1_000;
/// Bytes written after which the next look is not waited for: half of the smallest floor.
pub const DISK_LOOK_BYTES: u64 = 1024 * 1024;
/// Milliseconds that nothing is tried again after the disk refused a write although it seemed to have room.
pub const DISK_WALL_MS: u64 = 5_000;
/// Bytes of the ballast at most: enough to open the index and to clean up.
pub const BALLAST_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes of the ballast at least: two segments of the index.
pub const BALLAST_BYTES_MIN: u64 = 1024 * 1024;
/// The ballast's part of the disk, one in so many, within its two bounds.
pub const BALLAST_PART: u64 = 16;
/// Bytes that must be free before the index is written to or opened, besides what is to be written.
pub const INDEX_ROOM_BYTES: u64 = 1024 * 1024;
