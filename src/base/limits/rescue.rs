//! How long an index may take, how much of a broken one is kept, and how far a check looks.

/// Seconds the index may take to open: one without its snapshot is read as a whole, at the pace of a slow card.
pub const INDEX_OPEN_SECONDS: u64 = 120;
/// Openings of the index in a row that may end the program before it is set aside; one may be somebody's kill.
pub const INDEX_OPENINGS_MAX: usize = 2;
/// Indexes set aside that are kept: the newest, for somebody who wants to look.
pub const QUARANTINES_KEPT: usize = 3;
/// Bytes of them all above which the oldest go; the newest stays in any case.
pub const QUARANTINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Differences between journal and index that a check lists.
pub const CHECK_FINDINGS_MAX: usize = 64;
/// Entries of each index a check holds at a time.
pub const CHECK_PAGE_ENTRIES: usize = 256;
/// Times a check looks again at what differs while the node goes on.
pub const CHECK_ROUNDS: usize = 10;
/// Times in a row that the program starts itself anew because its index broke.
pub const RESTARTS_MAX: u32 = 3;
/// Milliseconds of running after which a new start is no longer one in a row.
pub const RESTART_CALM_MS: u64 = 10 * 60 * 1_000;
/// Bytes of an index of which a copy is held in memory while the disk has no room to open it: a million messages need a
/// quarter, and a machine with 512 MB can spare it.
pub const MAKESHIFT_INDEX_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of the index on the disk up to which it is left as it is: a million messages need less.
pub const INDEX_COMPACT_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Times its keys and values that the index may take on the disk before it is copied into a fresh one.
pub const INDEX_COMPACT_TIMES: u64 = 3;
/// Bytes that a fresh index may take beside that: a few segments of the database.
pub const INDEX_COMPACT_SLACK_BYTES: u64 = 4 * 1024 * 1024;
/// Seconds that compacting the index may take before the database is held to hang: half of what a start may take.
pub const INDEX_COMPACT_SECONDS: u64 = 300;
/// Times it is looked, and milliseconds between, whether the database has let go of its files: 20 s in all.
pub const INDEX_CLOSE_LOOKS: u32 = 10_000;
/// See [`INDEX_CLOSE_LOOKS`].
pub const INDEX_CLOSE_LOOK_MS: u64 = 2;
