//! The maxima of the doors: sockets, requests, packets, sessions.

// ---- streams for devices and scripts ----

/// Messages a stream tells from before its beginning: some megabytes, and more than a script was away for.
pub const STREAM_BACKLOG_MAX: usize = 10_000;
/// Messages a stream takes at a time: one piece of the body.
pub const STREAM_EVENTS_MAX: usize = 32;
/// Times a stream asks for its right anew when it changes while it is asked for.
pub const STREAM_STALE_MAX: usize = 5;
/// Seconds without a message after which a stream shows that it is alive, as ntfy's do: below a home router's patience.
pub const STREAM_KEEPALIVE_SECONDS: u64 = 45;
/// Bytes of a frame that a WebSocket's client sends to a stream, which listens to none of them.
pub const STREAM_FRAME_BYTES_MAX: usize = 4 * 1024;
/// Seconds a reader may take nothing before its stream is given up.
pub const STREAM_STALL_SECONDS: u64 = 60;

// ---- the command line ----

/// Bytes of one line on the control socket, either way: a list of all devices fits.
pub const CONTROL_LINE_BYTES_MAX: usize = 1024 * 1024;
/// Seconds the command line waits for a reply: an SD card stalls for seconds, a Pi Zero hashes one password in about two.
pub const CONTROL_REPLY_SECONDS_MAX: u64 = 30;
/// Command lines the node serves at once.
pub const CONTROL_CALLERS_MAX: usize = 16;
/// Newest messages that `linnet tail` begins with.
pub const TAIL_LINES: usize = 10;

/// Letters compared when a word is matched against known ones: a longer word is no slip of the finger.
pub const NEAR_WORD_CHARS_MAX: usize = 48;
/// Addresses of this machine shown to people.
pub const MACHINE_ADDRESSES_MAX: usize = 8;
// ---- http ----

/// HTTP connections at once, upgraded ones not counted: an idle one costs 11 to 13 KiB, all of them 7 MB.
pub const HTTP_CONNECTIONS_MAX: usize = 512;
/// Those of one address, this machine excepted: a browser opens six, a household behind one address a few dozen.
pub const HTTP_CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
/// Open files kept from sockets: the journal's and the index's, the command line's, bridges and a backup under way.
pub const FILES_KEPT: u64 = 40;
/// Sockets of clients, however few open files are left for them.
pub const SOCKETS_MIN: u64 = 8;
/// Bytes of a request line and its headers together.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Seconds a request line and its headers may take, and how long an idle connection is kept.
pub const HEAD_SECONDS_MAX: u64 = 15;
/// Seconds a body may take: the largest fits at 3 KiB a second.
pub const BODY_SECONDS_MAX: u64 = 30;
/// Seconds a socket may take nothing of what it is sent before it is closed.
pub const SOCKET_STALL_SECONDS_MAX: u32 = 60;
/// Seconds that requests under way are waited for when the node stops.
pub const STOP_SECONDS_MAX: u64 = 3;
/// Bytes of a JSON body: the longest text in four-byte characters, all escaped, with what it can carry.
pub const BODY_BYTES_MAX: usize = 96 * 1024;
/// Bytes of what follows the `?`.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Pairs of a query or a form.
pub const QUERY_PAIRS_MAX: usize = 256;
/// Buckets of rates kept, of all callers and addresses; full ones go first.
pub const RATE_BUCKETS_MAX: usize = 2_048;
/// Wrong passwords for one account from one address before the next has to wait.
pub const LOGIN_TRIES_FREE: u32 = 5;
/// Seconds that the wait after wrong passwords grows to.
pub const LOGIN_WAIT_SECONDS_MAX: u64 = 15 * 60;
/// Pairs of account and address whose wrong passwords are remembered.
pub const LOGIN_TRIES_KEPT_MAX: usize = 1_024;
/// Milliseconds an invitation link made on the page lives: a week.
pub const INVITATION_LIFE_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// Names tried for a guest whose name is taken: `anna`, `anna2`, ...
pub const GUEST_NAMES_TRIED_MAX: usize = 100;
/// Bytes of a refused body that are taken and thrown away, so that its sender hears why.
pub const BODY_DISCARD_BYTES_MAX: usize = 1024 * 1024;
/// Clients at one time that are told that all places are taken.
pub const TURNED_AWAY_MAX: usize = 32;
/// Bytes of a file that is imported by HTTP, which is never in memory as a whole: some 100,000 long messages. The command
/// line takes larger ones.
pub const IMPORT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Pieces of it that wait for their reader, each at most [`HEAD_BYTES_MAX`].
pub const IMPORT_PIECES_MAX: usize = 4;

// ---- the realtime door ----

/// Bytes of one message of a client who is logged in: a message of the longest text with what it may carry.
pub const DDP_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one message of a client who is not: a login fits.
pub const DDP_STRANGER_BYTES_MAX: usize = 8 * 1024;
/// Bytes taken from a socket at once, into a buffer that all sessions share.
pub const DDP_READ_BYTES: usize = 16 * 1024;
/// Messages of one client that were read and wait for their turn.
pub const DDP_MESSAGES_WAITING_MAX: usize = 64;
/// Methods of one client at work; below [`JOBS_PER_CALLER_MAX`](super::JOBS_PER_CALLER_MAX), so that the client's other doors stay open.
pub const DDP_METHODS_MAX: usize = 32;
/// Subscriptions of one client: a bot that hears many rooms one by one.
pub const DDP_SUBSCRIPTIONS_MAX: usize = 512;
/// Bytes of an id a client names its calls and subscriptions by.
pub const DDP_ID_BYTES_MAX: usize = 128;
/// People whose presence one client watches.
pub const DDP_WATCHED_USERS_MAX: usize = 1_000;
/// Events taken at one wake-up.
pub const DDP_EVENTS_AT_ONCE: usize = 64;
/// Bytes put together before they are written.
pub const DDP_WRITE_BYTES: usize = 256 * 1024;
/// Bytes of the shared write buffer that are kept between two sessions.
pub const DDP_WRITE_BYTES_KEPT: usize = 64 * 1024;
/// Bytes the kernel may keep for one client that does not read; it grants itself twice as many.
pub const DDP_KERNEL_BYTES: usize = 128 * 1024;
/// Seconds a client may leave what it is told unread.
pub const DDP_WRITE_SECONDS_MAX: u64 = 20;
/// Seconds between two looks at a session: is it alive, is its token still good.
pub const DDP_LOOK_SECONDS: u64 = 25;
/// Looks that find a client silent before it is given up: the second asks for a sign of life.
pub const DDP_SILENT_LOOKS_MAX: u8 = 2;
/// Looks before a client that has not logged in must go: more than a minute, for people type passwords.
pub const DDP_STRANGER_LOOKS_MAX: u8 = 4;
/// Seconds a client has to hear that a session is over.
pub const DDP_LINGER_SECONDS: u64 = 2;
/// Bytes a client may still send meanwhile; they are thrown away.
pub const DDP_LINGER_BYTES: usize = 4 * 1024 * 1024;
/// Times a right that may have ended meanwhile is asked for again before the node counts as busy.
pub const STALE_RETRIES_MAX: usize = 4;

// ---- tls and websockets as carriers ----

/// TLS handshakes under way at once: a Pi Zero ends some dozens a second.
pub const TLS_HANDSHAKES_MAX: usize = 64;
/// Seconds a TLS handshake may take: a radio with a long way, and a Pi Zero that is busy.
pub const TLS_HANDSHAKE_SECONDS_MAX: u64 = 10;
/// TLS sessions remembered, so that a client that comes back is spared most of the handshake: some 300 bytes each.
pub const TLS_SESSIONS_KEPT_MAX: usize = 128;
/// Seconds between two looks at whether the files of the certificate are others than those that were read.
pub const TLS_LOOK_SECONDS: u64 = 2;
/// Bytes of a file with certificates or a key: a chain has some KB, a list of authorities a few hundred.
pub const TLS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Names and addresses in a certificate that the node makes for itself.
pub const TLS_NAMES_MAX: usize = 32;
/// Bytes of a common name: X.509's own bound is 64 characters.
pub const COMMON_NAME_BYTES_MAX: usize = 256;
/// Bytes of one frame of a WebSocket that carries a stream: MQTT's longest packet. Frames are passed on as they come.
pub const CARRIER_FRAME_BYTES_MAX: u64 = 268_435_460;
/// Bytes put into one frame of it.
pub const CARRIER_WRITE_BYTES: usize = 16 * 1024;
