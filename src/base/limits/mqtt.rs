//! How much the broker's door takes in, keeps on its way, and waits for.

/// Connections that have not said who they are: a house of devices that all come back at once. The oldest makes room.
pub const MQTT_HALF_CONNECTS_MAX: usize = 256;
/// Seconds a connection has to say who it is.
pub const MQTT_CONNECT_SECONDS: u64 = 10;
/// Seconds a client may leave what it is told unread.
pub const MQTT_WRITE_SECONDS_MAX: u64 = 20;
/// Bytes taken from a socket at once, into a buffer that all connections share.
pub const MQTT_READ_BYTES: usize = 16 * 1024;
/// Bytes put together before they are written.
pub const MQTT_WRITE_BYTES: usize = 256 * 1024;
/// Bytes of the shared write buffer that are kept between two connections.
pub const MQTT_WRITE_BYTES_KEPT: usize = 64 * 1024;
/// Bytes the kernel may keep for one client that does not read; it grants itself twice as many.
pub const MQTT_KERNEL_BYTES: usize = 128 * 1024;
/// Publications of one client that wait for the disk or for its next word; below
/// [`JOBS_PER_CALLER_MAX`](super::JOBS_PER_CALLER_MAX), so that the client's other doors stay open.
pub const MQTT_RECEIVE_MAX: u16 = 32;
/// Publications on their way to a client that says no number of its own.
pub const MQTT_SEND_MAX: u16 = 20;
/// Bytes of publications on their way to a client; one that is larger alone still goes, alone.
pub const MQTT_WINDOW_BYTES_MAX: usize = 512 * 1024;
/// The part of the memory, one in so many, that may be held for all clients: the beginnings of packets, what they do not
/// read or acknowledge, wills. Where it is more, whoever it is most for is hung up on.
pub const MQTT_HELD_PART: u64 = 8;
/// Who has more of it than this part, one in so many, is looked at when that happens.
pub const MQTT_HEAVY_PART: usize = 1_024;
/// Publications taken from a seat at one wake-up.
pub const MQTT_EVENTS_AT_ONCE: usize = 64;
/// Packet ids that stand for places in the order, the lower half of all: more than ever are on their way at one time.
pub const PLACED_IDS: u16 = 0x8000;
/// Topics that one connection may give numbers, in either direction.
pub const MQTT_ALIASES_MAX: u16 = 16;
/// Milliseconds an old connection has to leave its session to the new one.
pub const MQTT_TAKEOVER_MS: u64 = 5_000;
/// Sessions whose connection is gone and whose state is kept.
pub const MQTT_AWAY_MAX: usize = super::TOPIC_SESSIONS_MAX;
/// Wills that wait for their time; one beyond them is published at once.
pub const MQTT_WILLS_MAX: usize = super::WILLS_MAX;
/// Wills that are on their way to the disk at one time; below [`JOBS_PER_CALLER_MAX`](super::JOBS_PER_CALLER_MAX).
pub const MQTT_WILLS_AT_ONCE: usize = 16;
/// Seconds a client has to hear that its connection is over.
pub const MQTT_LINGER_SECONDS: u64 = 2;
/// Bytes a client may still send meanwhile; they are thrown away.
pub const MQTT_LINGER_BYTES: usize = 1024 * 1024;
/// Retained publications told at one time to a client that has just subscribed.
pub const MQTT_RETAINED_AT_ONCE: usize = 32;
/// Changes looked through at one time for what a client has missed: some milliseconds on a Pi Zero.
pub const MQTT_BACKLOG_SCAN_MAX: usize = 256;
/// Acknowledgements after which the node notes how far a client has heard: fewer would wear the card, more would be told
/// twice after a power cut.
pub const MQTT_MOVE_EVERY: u32 = 64;
/// Rights to publish that one connection remembers: a device has a handful of topics.
pub const MQTT_PERMITS_MAX: usize = 8;
/// Milliseconds between two looks at what the node says of itself, while somebody hears it.
pub const OWN_LOOK_MS: u64 = 1_000;
/// Looks after which the node says again how it is, changed or not.
pub const OWN_STATE_LOOKS: u32 = 60;
/// Bytes of what Home Assistant's topics begin with.
pub const HA_PREFIX_BYTES_MAX: usize = 64;
/// Rooms that Home Assistant finds: each is a device there, and some hundred bytes at each look.
pub const HA_ROOMS_MAX: usize = 128;
/// Rooms looked at for those.
pub const HA_ROOMS_LOOKED_MAX: usize = 1_000;
/// Devices that Home Assistant finds.
pub const HA_DEVICES_MAX: usize = 256;
/// Parts of a device's state that become sensors.
pub const HA_PARTS_MAX: usize = 16;
/// Bytes of the name of such a part.
pub const HA_PART_BYTES_MAX: usize = 32;
/// Bytes of a state that is looked into; a longer one is a text.
pub const HA_STATE_BYTES_MAX: usize = 16 * 1024;
