//! Topics, publications and the sessions that hear of them.

/// Bytes of a topic or a filter. The protocol allows 65,535; nobody names a thing in more than a few hundred.
pub const TOPIC_BYTES_MAX: usize = 4_096;
/// Levels of a topic or a filter: each is a step of every match.
pub const TOPIC_LEVELS_MAX: usize = 64;
/// Bytes of one publication's payload: the list of devices of a large Zigbee network, or a
/// photograph of a small camera.
pub const PUBLICATION_BYTES_MAX: usize = 256 * 1024;
/// Bytes of what else a publisher said of a publication.
pub const PUBLICATION_PROPERTIES_BYTES_MAX: usize = 8 * 1024;
/// Filters of each kind that one device's rights may have.
pub const DEVICE_FILTERS_MAX: usize = 32;
/// Bytes of a client's own id, and of the name of a group that shares a subscription: both stand in keys.
pub const TOPIC_CLIENT_BYTES_MAX: usize = 256;
/// Sessions that outlive their connections.
pub const TOPIC_SESSIONS_MAX: usize = 1_000;
/// Of them those of one user: whoever comes with an id of its own each time leaves room for others.
pub const TOPIC_SESSIONS_PER_USER_MAX: usize = 500;
/// Subscriptions of one session.
pub const SUBSCRIPTIONS_MAX: usize = 256;
/// Packet ids that one session's client has not released yet; asked to be far below the 65,535 there are.
pub const RECEIPTS_MAX: usize = 1_024;
/// Publications on their way to one session's client that it has not confirmed yet.
pub const HAND_OUTS_MAX: usize = 256;
/// Bytes of payloads after which a page of publications ends: what one reader holds.
pub const TOPIC_PAGE_BYTES_MAX: usize = 256 * 1024;
/// Changes that a session may be behind: it is moved up, and what it wanted of them is counted as dropped.
pub const TOPIC_LAG_CHANGES_MAX: u64 = 1_000_000;
/// Bytes of the journal that it may be behind: a thirtieth of a small card.
pub const TOPIC_LAG_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Changes looked at between two breaths when what such a session missed is counted.
pub const TOPIC_LAG_PAGE_CHANGES: usize = 2_048;
/// Sessions that end in one job: each may take some thousand keys along.
pub const SESSIONS_ENDED_AT_ONCE: usize = 16;
/// Topics that have a retained publication.
pub const RETAINED_MAX: usize = 100_000;
/// Publications that wait for one session that is connected: what a burst brings while a radio is busy.
pub const TOPIC_QUEUE_MAX: usize = 1_000;
/// Bytes of them; one that is larger alone still goes in, alone.
pub const TOPIC_QUEUE_BYTES_MAX: usize = 1024 * 1024;
/// The part of the memory that publications which wait for all sessions may take, one in so many: whoever holds more than
/// a fair share of it gives it up.
pub const TOPIC_WAITING_PART: u64 = 8;
/// The part of the memory that the subscriptions of all sessions may take, one in so many.
pub const TOPIC_FILTERS_PART: u64 = 8;
/// Publications that a group's members gave back and nobody has yet, remembered one by one; with more, the group is told
/// again what came after the first of them.
pub const TOPIC_GIVEN_BACK_MAX: usize = 4_096;
/// Acknowledgements after which it is noted how far a group has heard: fewer would wear the card, more would be told twice
/// after a power cut.
pub const TOPIC_GROUP_MOVES_EVERY: u32 = 64;
/// Last wills that are kept, so that the power may fall: beyond them one is in memory only.
pub const WILLS_MAX: usize = 1_000;
/// Forms in which a publication is kept encoded, each at most once: two versions of a protocol, and how sure the
/// delivery is.
pub const SHEET_FRAMES: usize = 6;
/// Seconds after which a device is no longer told what it was to do: whoever comes back later must not switch for a word
/// that nobody means any more.
pub const COMMAND_SECONDS_MAX: u32 = 30;
