//! How much bridges to MQTT brokers take in, and how long they wait.

/// Bridges of one node: each holds a connection and a session at a broker.
pub const BRIDGES_MAX: usize = 32;
/// Characters of a bridge's name: it becomes part of an MQTT client id.
pub const BRIDGE_NAME_CHARS_MAX: usize = 32;
/// Bytes of an MQTT client id: above 23 a broker may refuse, above this all logs become unreadable.
pub const MQTT_CLIENT_ID_BYTES_MAX: usize = 64;
/// Bytes of an MQTT topic or filter: the protocol allows 65,535, no dialect comes near this.
pub const MQTT_TOPIC_BYTES_MAX: usize = 1_024;
/// Characters of a bridge's template as written.
pub const TEMPLATE_CHARS_MAX: usize = 1_000;
/// Fields and texts between them in one template: bounds the work for each message.
pub const TEMPLATE_PARTS_MAX: usize = 64;
/// Keys in one `{json...}` path: deeper than any sensor's report.
pub const TEMPLATE_PATH_KEYS_MAX: usize = 16;
/// Bytes of a payload in which a template looks for JSON: parsing costs about ten times this in memory.
pub const TEMPLATE_JSON_BYTES_MAX: usize = 256 * 1024;

/// Bytes of one MQTT packet from a broker, the largest that is read at all: well above any report or device list.
pub const MQTT_PACKET_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a payload above which a bridge says only how large it was: a picture, a firmware.
pub const BRIDGE_PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Publications, rendered, that wait between the broker and the writer: more than a broker sends unacknowledged.
pub const BRIDGE_ARRIVED_MAX: usize = 64;
/// Posts of one bridge on their way to the disk: they share a sync, and leave the writer's lane half free.
pub const BRIDGE_POSTS_MAX: usize = 32;
/// Acknowledgements that wait to be sent: one for each packet id there is, so that posting never waits for listening.
pub const BRIDGE_ACKS_MAX: usize = 65_535;
/// Seconds a broker has to take the connection and to take what is written.
pub const BRIDGE_CONNECT_SECONDS: u64 = 10;
/// Seconds between two pings to a broker: a lost connection is noticed within two.
pub const BRIDGE_KEEP_ALIVE_SECONDS: u64 = 30;
/// Seconds a publication waits for the writer before the connection is given up: the broker has given up as well.
pub const BRIDGE_STALLED_SECONDS: u64 = 60;
/// Milliseconds before a post is tried again that found the writer busy: a few syncs of an SD card.
pub const BRIDGE_BUSY_WAIT_MS: u64 = 50;
/// Milliseconds before the first new attempt to reach a broker; each further one waits twice as long.
pub const BRIDGE_WAIT_FIRST_MS: u64 = 500;
/// Milliseconds between two attempts at most: a broker that is back is found within a minute.
pub const BRIDGE_WAIT_MAX_MS: u64 = 60_000;
/// Milliseconds a broker that was left has to read what was sent before, and to close: part of the time to stop.
pub const BRIDGE_LEAVE_MS: u64 = 2_000;
/// Milliseconds a stopping bridge has to store and acknowledge what it took: a slow card's sync, well under systemd's patience.
pub const BRIDGE_STOP_MS: u64 = 5_000;
