//! Every maximum in the program, with its unit and its reason.

mod bridges;
mod budgets;
mod disk;
mod doors;
mod mqtt;
mod packets;
mod rescue;
mod topics;

pub use bridges::*;
pub use budgets::*;
pub use disk::*;
pub use doors::*;
pub use mqtt::*;
pub use packets::*;
pub use rescue::*;
pub use topics::*;

// ---- ids and names ----

/// Bytes of an id: two user ids side by side make the id of a direct room.
pub const ID_BYTES_MAX: usize = 128;
/// Characters of a user or room name that appears in addresses.
pub const NAME_CHARS_MAX: usize = 64;
/// Characters of a display name, topic title or other single line.
pub const LINE_CHARS_MAX: usize = 256;
/// Characters of a topic, description or announcement.
pub const TOPIC_CHARS_MAX: usize = 1_000;

// ---- messages ----

/// Characters of a message's text; Rocket.Chat counts characters.
pub const TEXT_CHARS_MAX: usize = 5_000;
/// Bytes of what a client attaches and linnet only carries (attachments, custom fields).
pub const OPAQUE_BYTES_MAX: usize = 8 * 1024;
/// Characters of what people write about themselves, as Rocket.Chat allows.
pub const BIO_CHARS_MAX: usize = 260;
/// Different reactions on one message.
pub const REACTIONS_MAX: usize = 32;
/// People remembered per reaction; more would not fit a record.
pub const REACTORS_MAX: usize = 64;
/// Tags of a device's post, as ntfy's users know them.
pub const TAGS_MAX: usize = 8;
/// People, and rooms, looked up for the names in one text; the rest stays plain text.
pub const MENTIONS_MAX: usize = 20;
/// What a byte of a text may cost to find what is bold, a name, a link in it; what is left then is plain.
pub const MD_STEPS_PER_BYTE: usize = 4;
/// Pages that one text is said to link to.
pub const URLS_MAX: usize = 20;
/// Rooms one call posts the same message to.
pub const POST_TARGETS_MAX: usize = 10;
/// Attachments inside attachments: a quote of a quote.
pub const ATTACHMENT_DEPTH_MAX: usize = 3;
/// Messages in one page of history.
pub const PAGE_MESSAGES_MAX: usize = 100;

// ---- people and rooms ----

/// People in one direct room.
pub const DIRECT_PEOPLE_MAX: usize = 10;
/// Rooms one person can be a member of: listed whole at every client's start.
pub const MEMBERSHIPS_MAX: usize = 1_000;
/// Entries in one page of users, rooms or members.
pub const PAGE_ENTRIES_MAX: usize = 100;
/// Members named in one call that makes a room or invites to it.
pub const INVITED_AT_ONCE_MAX: usize = 50;
/// Tokens one user holds; the oldest session goes when a new one would exceed it.
pub const TOKENS_PER_USER_MAX: usize = 32;
/// Rooms one device may be bound to.
pub const DEVICE_ROOMS_MAX: usize = 16;

/// Guests that may have come in: each keeps a name taken.
pub const GUESTS_MAX: usize = 200;

/// Invitations that can be good at one time.
pub const INVITATIONS_MAX: usize = 200;

// ---- secrets and their lives ----

/// Milliseconds an owner code lives.
pub const OWNER_CODE_LIFE_MS: u64 = 15 * 60 * 1_000;
/// Letters and digits of an owner code that somebody chose: it is typed by hand.
pub const OWNER_CODE_CHARS_MAX: usize = 64;
/// Bytes of the file it is read from: a code, dashes, a line break.
pub const OWNER_CODE_FILE_BYTES_MAX: u64 = 256;
/// Milliseconds a session token lives: Rocket.Chat's 90 days.
pub const SESSION_LIFE_MS: u64 = 90 * 24 * 3_600 * 1_000;
/// Characters of a password; hashing more is a way to keep one core busy.
pub const PASSWORD_CHARS_MAX: usize = 256;

// ---- stored bytes ----

/// Bytes of one value in the index: above 128 KiB sled would put it into an unsynced file of its own.
pub const VALUE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one Change in the journal: the largest publication with its topic and properties, and 4 KiB for who and when.
pub const CHANGE_BYTES_MAX: usize =
    PUBLICATION_BYTES_MAX + PUBLICATION_PROPERTIES_BYTES_MAX + TOPIC_BYTES_MAX + 4 * 1024;
/// Bytes of one that is no publication: the longest text, what a client attached, and room for the reactions.
pub const OTHER_CHANGE_BYTES_MAX: usize = 64 * 1024;
/// Messages in one block of a room's history: the open block is written again at every checkpoint.
pub const BLOCK_ENTRIES_MAX: usize = 64;
// ---- delivery ----

/// Listeners at once, of all doors, and realtime sessions: about half a KiB for a listener, 2 for its session. A board's
/// budget may give fewer.
pub const LISTENERS_MAX: usize = 20_000;
/// Rooms one listener follows one by one; those of its memberships count apart, up to [`MEMBERSHIPS_MAX`].
pub const FOLLOWED_ROOMS_MAX: usize = MEMBERSHIPS_MAX;
/// Newest Changes kept in memory: a reader further behind reads the store.
pub const TAIL_CHANGES_MAX: usize = 4_096;
/// Bytes of them, roughly: many long messages must not fill a small board.
pub const TAIL_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Changes looked at in one drain while the hub is locked; some 30 microseconds on a desktop.
pub const DRAIN_SCAN_MAX: usize = 512;
/// Encoded Changes kept for listeners that are about to ask for them.
pub const FRAMES_MAX: usize = 512;
/// Bytes of them.
pub const FRAMES_BYTES_MAX: usize = 512 * 1024;
/// Signals (typing, presence) that wait for one listener; the oldest goes first, nobody misses it.
pub const SIGNALS_WAITING_MAX: usize = 16;
/// Bytes of a signal that linnet only passes on.
pub const SIGNAL_BYTES_MAX: usize = 256;
// ---- settings ----

/// Bytes of one settings file: far above any real one, small enough to read whole on a Pi Zero.
pub const CONFIG_FILE_BYTES_MAX: u64 = 256 * 1024;
/// Files in `conf.d`: more is a wrong folder.
pub const CONFIG_FILES_MAX: usize = 64;
/// Problems listed for one set of settings: nobody reads further before fixing the first ones.
pub const CONFIG_PROBLEMS_MAX: usize = 20;
/// Characters of the site's name: it stands in a page title and a notification.
pub const SITE_NAME_CHARS_MAX: usize = 64;
/// Extra host names this node answers to: each request's Host header is compared with all of them.
pub const HTTP_HOSTS_MAX: usize = 32;
/// Bytes of one host name, from RFC 1035.
pub const HOST_NAME_BYTES_MAX: usize = 253;
/// Bytes read from a file holding one password.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

// ---- the index ----

/// Writes of settled Changes that wait in memory before a checkpoint is due.
pub const LAYER_WRITES_MAX: usize = 8_192;
/// Bytes of settled Changes that wait in memory before a checkpoint is due.
pub const LAYER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Writes in one batch of the index: larger ones made sled grow to gigabytes.
pub const INDEX_BATCH_WRITES: usize = 128;
/// Milliseconds after which a checkpoint is due although little waits: what waits is replayed from the journal anyway,
/// and a checkpoint costs a card some 20 KB however little it writes.
pub const CHECKPOINT_MS: u64 = 60_000;
/// Milliseconds after which an index that found no room is looked at again: so long what it cannot read is refused.
pub const INDEX_STUCK_LOOK_MS: u64 = 2_000;
/// Changes between two waymarks: a message found by its minted id is looked for among so many.
pub const WAYMARK_CHANGES: u64 = 256;
/// Blocks of a room's history that go at once when it is trimmed: some four thousand messages.
pub const TRIMMED_BLOCKS_MAX: usize = 64;
/// Rooms whose newest block the writer keeps in mind.
pub const ROOM_TAILS_MAX: usize = 1_024;
/// Entries of a room's history looked at to leave removed messages out of an offset: 160 blocks. Beyond, they count.
pub const SKIP_ENTRIES_MAX: u64 = 10_000;
/// Changes looked at to tell a client what changed since it was away.
pub const SYNC_CHANGES_MAX: usize = 20_000;
/// Entries looked at by one listing of users or rooms that has to filter.
pub const SCAN_ENTRIES_MAX: usize = 10_000;

/// Newest deliveries of a bridge that are told from redeliveries. A broker may send again all that it has not seen
/// acknowledged, which is more than its window: Mosquitto 2.0.11 lets 20 more go for each acknowledgement, up to all that
/// waits, 1,000 by default. A power of two far below the 65,535 packet ids, so that one that comes round is forgotten.
pub const DELIVERIES_REMEMBERED: u16 = 8_192;

// ---- health ----

/// Troubles that stand at one time: a person reads no more, and a broken disk makes thousands.
pub const TROUBLES_MAX: usize = 32;
/// Characters of one trouble's text: a few sentences with a path.
pub const TROUBLE_CHARS_MAX: usize = 1_000;
/// Administrators brought into #system when it is made: their Changes fit one group.
pub const ADMINS_GATHERED_MAX: usize = 200;
/// Milliseconds that the buckets of sync times reach to: a good SSD, a good card, a card that collects its garbage.
pub const SYNC_BUCKETS_MS: [u64; 9] = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000];
/// Seconds before what could not be told in #system is tried again.
pub const TELL_AGAIN_SECONDS: u64 = 5;
// ---- the clock ----

/// Milliseconds since 1970 before which no clock is believed: 2024-01-01, when there was no linnet.
pub const CLOCK_SANE_FROM_MS: u64 = 1_704_067_200_000;
/// Milliseconds since 1970 from which on no person is believed: 2100-01-01.
pub const CLOCK_SANE_UNTIL_MS: u64 = 4_102_444_800_000;
/// Milliseconds of a step that is followed without asking who made it: a day, more than any wrong time zone.
pub const CLOCK_STEP_MAX_MS: u64 = 24 * 3_600 * 1_000;
/// Milliseconds by which a machine may be ahead of the newest time in the store at a start: a node that lay in a drawer
/// for a year is believed, a battery that says 2099 is not.
pub const CLOCK_AHEAD_MAX_MS: u64 = 400 * 24 * 3_600 * 1_000;
/// Milliseconds below which a clock that nobody speaks for has not been stepped: two clocks are never read at one time.
pub const CLOCK_SLACK_MS: u64 = 500;
/// Milliseconds between two looks of an idle node that does not know the time.
pub const CLOCK_IDLE_LOOK_MS: u64 = 10_000;
/// Milliseconds between two looks at who speaks for the clock: they open files.
pub const CLOCK_LOOK_MS: u64 = 1_000;

/// Sessions that get an end at once when somebody speaks for the clock; they share one group of the journal.
pub const SESSIONS_DATED_MAX: usize = 1_024;
/// Milliseconds a machine may run without a known clock: a time that lies further behind its start was not its own, but
/// that of a room whose times must not run backwards. Five years.
pub const CLOCK_UPTIME_MAX_MS: u64 = 5 * 366 * 24 * 3_600 * 1_000;
/// Rooms and memberships of one start whose dates are corrected when the clock is turned; they share one group of the
/// journal, and the oldest are left out.
pub const CLOCK_DATED_MAX: usize = 512;
/// Times the clock is turned in one start: each makes reading the times before it a little slower.
pub const CLOCK_TURNS_MAX: usize = 64;
/// Frames whose new places are written to the index at once: one job of the writer, well under a millisecond each.
pub const MOVED_AT_ONCE: usize = 256;
/// Blocks of histories kept decoded while a segment's messages are judged.
pub const JUDGED_BLOCKS_MAX: usize = 64;
/// Segments written anew into one: what is decided for each of their frames is kept in memory meanwhile.
pub const CONDENSED_RUN_MAX: usize = 16;
/// Milliseconds between two looks at what is due to be trimmed or to leave the disk.
pub const CARE_LOOK_MS: u64 = 10 * 60 * 1_000;
/// Milliseconds to the next such look where the last gave space back: publications that all sessions have heard are
/// waste within minutes, some ten times as fast as a card is filled by a hundred devices.
pub const CARE_LOOK_SOON_MS: u64 = 30 * 1_000;
/// Milliseconds after which unwanted words are taken off the disk: well within the day that is promised.
pub const UNWANTED_MS: u64 = 20 * 3_600 * 1_000;
/// Milliseconds between two pieces of background work on the journal: posting goes first.
pub const CARE_BREATH_MS: u64 = 2;
/// Times that background work asks for a place in a full queue, so many milliseconds apart: for half a minute.
pub const CARE_TRIES_MAX: usize = 15_000;
/// Jobs of a compaction that are on their way at once: they share the syncs of whoever posts, and none of those waits for
/// more of them.
pub const COMPACT_JOBS_AT_ONCE: usize = 8;
/// Groups of a segment that are one such piece.
pub const CARE_BREATH_GROUPS: u32 = 64;
/// Milliseconds that readers have to finish with a place they looked up: a page of history takes a few.
pub const CARE_GRACE_MS: u64 = 500;
/// Read marks that are written down anew at once.
pub const MARKS_AT_ONCE: usize = 256;
/// Milliseconds for which a deletion is told to clients that were away: 30 days.
pub const DELETIONS_TOLD_MS: u64 = 30 * 24 * 3_600 * 1_000;

// ---- the writer ----

/// Jobs that wait for the writer, of all callers.
pub const JOBS_MAX: usize = 1_024;
/// Jobs of one caller that wait for the writer.
pub const JOBS_PER_CALLER_MAX: usize = 64;
/// Jobs in one group: one journal write and one sync.
pub const GROUP_JOBS_MAX: usize = 512;
/// Bytes of one group after which no job joins it.
pub const GROUP_BYTES_MAX: usize = 256 * 1024;
/// Passwords that wait to be hashed; each takes most of a second on a Pi Zero.
pub const PASSWORDS_MAX: usize = 16;
// ---- journal ----

/// Bytes of one frame's payload: a Change.
pub const JOURNAL_PAYLOAD_BYTES_MAX: usize = CHANGE_BYTES_MAX;
/// Bytes of one group with its header: what one write and one sync take, and one reader holds.
pub const JOURNAL_GROUP_BYTES_MAX: usize = 1024 * 1024;
/// Bytes after which a segment takes no further group, unless the settings say otherwise.
pub const JOURNAL_SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of zeros written behind a small group, so that the next few hundred find their blocks prepared.
pub const JOURNAL_AHEAD_BYTES: usize = 64 * 1024;
/// Bytes after which a group of a rewritten segment ends: a bad block of a card takes no more frames along.
pub const CONDENSED_GROUP_BYTES: usize = 16 * 1024;
/// The largest part of a disk that one segment takes, one in so many.
pub const JOURNAL_SEGMENT_PART: u64 = 32;
/// Milliseconds after a start before the journal is read again: clients come back first.
pub const SCRUB_FIRST_MS: u64 = 5_000;
/// Milliseconds between two readings of all of it: a card that loses bytes is found out within a week.
pub const SCRUB_EVERY_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// Bytes read between two breaths.
pub const SCRUB_BREATH_BYTES: usize = 256 * 1024;
/// Milliseconds of one: some 5 MB a second, a quarter of what a card gives.
pub const SCRUB_BREATH_MS: u64 = 50;
/// Bytes a scan reads at a time; few enough for 512 MB, enough to keep an SD card streaming.
pub const JOURNAL_READ_BYTES: usize = 64 * 1024;
/// Bytes read for one frame before its length is known: most messages fit, so most reads are one call.
pub const JOURNAL_FRAME_READ_BYTES: usize = 1024;
/// Segment files the readers keep open together.
pub const JOURNAL_OPEN_FILES_MAX: usize = 4;
/// Bytes of the journal that are left free for each Change that its end lost, where nobody knows where it ended: some
/// times as much as Changes take, so that what comes back has room there.
pub const JOURNAL_LOST_CHANGE_BYTES: u64 = 1024;
/// Losses that are remembered one by one, a hundred bytes each; above that, neighbours become one.
pub const LOSSES_KNOWN_MAX: usize = 256;
/// Milliseconds a start looks for what was lost in the scheduled backups and brings it back: the node must come up, and a
/// stick may be slow or hang. What is not done then is left to 'linnet check --repair'.
pub const REPAIR_START_MS: u64 = 120_000;
/// Damaged stretches one opening lists; the rest are only in the journal's own scan.
pub const JOURNAL_DAMAGE_LISTED_MAX: usize = 64;
// ---- backups ----

/// Bytes of Changes in one piece of a backup: what making one holds in memory, and what one checksum covers.
pub const BACKUP_CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of one frame's body: a chunk that begins with the longest Change, or the end record with its list.
pub const BACKUP_FRAME_BYTES_MAX: usize = BACKUP_CHUNK_BYTES + JOURNAL_PAYLOAD_BYTES_MAX;
/// Bytes of a backup read at a time.
pub const BACKUP_READ_BYTES: usize = 64 * 1024;
/// Bytes of a journal group that a restore writes and syncs at once.
pub const BACKUP_GROUP_BYTES: usize = 512 * 1024;
/// Damaged stretches that a backup, or the reading of one, lists; all are counted.
pub const BACKUP_DAMAGE_LISTED_MAX: usize = 64;
/// Entries looked at in a folder of backups: more is a wrong folder.
pub const BACKUPS_LISTED_MAX: usize = 10_000;
/// Milliseconds before a backup that was not made is tried again: a stick is back, or some space free.
pub const BACKUP_RETRY_MS: u64 = 10 * 60 * 1_000;
/// Milliseconds after a start before a backup is made that no clock says is due.
pub const BACKUP_BLIND_WAIT_MS: u64 = 3_600 * 1_000;
/// Milliseconds between two scheduled backups at least: each reads all of the journal.
pub const BACKUP_EVERY_MS_MIN: u64 = 10 * 60 * 1_000;
/// Milliseconds between two scheduled backups at most: a year.
pub const BACKUP_EVERY_MS_MAX: u64 = 366 * 24 * 3_600 * 1_000;
/// Scheduled backups that are kept at most.
pub const BACKUPS_KEPT_MAX: usize = 1_000;
/// Holes of a damaged journal that one repair fills, a hundred bytes each; those behind are left to the next.
pub const REPAIR_HOLES_MAX: usize = 4_096;
/// Scheduled backups that a repair looks into, newest first: each is read as a whole.
pub const REPAIR_BACKUPS_MAX: usize = 8;
/// Backups, exports and imports by HTTP at one time: each reads all of the journal, or keeps the writer busy.
pub const CARRYING_MAX: usize = 1;
/// Bytes of one record of an import, and of one line of its file: a message with all it can carry, escaped.
pub const IMPORT_LINE_BYTES_MAX: usize = 256 * 1024;
/// Messages of an import that make one job of the writer.
pub const IMPORT_LINES_AT_ONCE_MAX: usize = 64;
/// Bytes of them after which no further joins: well below what one group takes.
pub const IMPORT_LINES_BYTES: usize = 128 * 1024;
/// Records refused that an import lists; all are counted.
pub const IMPORT_REFUSED_LISTED_MAX: usize = 20;
