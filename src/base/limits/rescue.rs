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
