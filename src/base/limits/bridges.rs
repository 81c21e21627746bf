//! How much bridges to MQTT brokers take in, and how long they wait.

/// Bridges of one node: each holds a connection and a session at a broker.
pub const BRIDGES_MAX: usize = 32;
/// Characters of a bridge's name: it becomes part of an MQTT client id.
pub const BRIDGE_NAME_CHARS_MAX: usize = 32;
/// Bytes of an MQTT client id: above 23 a broker may refuse, above this all logs become unreadable.
pub const MQTT_CLIENT_ID_BYTES_MAX: usize = 64;
/// Bytes of an MQTT topic or filter: the protocol allows 65,535, no dialect comes near this.
pub const MQTT_TOPIC_BYTES_MAX: usize = 1_024;
/// Bytes of the path at which a web server serves MQTT.
pub const MQTT_PATH_BYTES_MAX: usize = 256;
/// Bytes of a web server's answer to a WebSocket's handshake: room for any proxy's headers.
pub const MQTT_UPGRADE_BYTES_MAX: usize = 8 * 1024;
/// Characters of a bridge's template as written.
pub const TEMPLATE_CHARS_MAX: usize = 1_000;
/// Fields and texts between them in one template: bounds the work for each message.
pub const TEMPLATE_PARTS_MAX: usize = 64;
/// Keys in one `{json...}` path: deeper than any sensor's report.
pub const TEMPLATE_PATH_KEYS_MAX: usize = 16;
/// Bytes of a payload in which a template looks for JSON: parsing costs about ten times this in memory.
pub const TEMPLATE_JSON_BYTES_MAX: usize = 256 * 1024;

/// Bindings at the node's own broker: each publication is held against the beginning of each of their filters.
pub const BINDS_MAX: usize = 64;
/// Characters of a binding's unit: "µg/m³" and longer.
pub const BIND_UNIT_CHARS_MAX: usize = 16;
/// Topics of which the broker, or a bridge, knows what was said last: some 100 KB. Those forgotten are said anew.
pub const BIND_TOPICS_MAX: usize = 1_024;
/// Withheld messages that wait for their time, of the broker or of one bridge: what finds no place is not said later.
pub const BIND_WAITING_MAX: usize = 64;
/// Levels of JSON in which a value to bind is guessed: deeper than any sensor's report.
pub const BIND_GUESS_DEPTH_MAX: usize = 6;
/// Values among which it is guessed.
pub const BIND_GUESS_VALUES_MAX: usize = 64;

/// Publications that a look at topics shows: more would scroll away.
pub const TRY_MESSAGES_MAX: usize = 50;
/// Bytes of publications that a look at topics keeps in memory.
pub const TRY_BYTES_MAX: usize = 1024 * 1024;
/// Characters of each payload that it shows.
pub const TRY_PAYLOAD_CHARS_MAX: usize = 400;
/// Seconds that a look from the command line lasts at most: telemetry comes every five minutes.
pub const TRY_SECONDS_MAX: u64 = 600;
/// Seconds that a look through the API lasts at most, while a connection waits for its answer.
pub const TRY_API_SECONDS_MAX: u64 = 20;
/// Looks at one time.
pub const TRIES_MAX: usize = 4;

/// Bytes of one MQTT packet from a broker, the largest that is read at all: well above any report or device list.
pub const MQTT_PACKET_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a payload above which a bridge says only how large it was: a picture, a firmware.
pub const BRIDGE_PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Posts of one bridge on their way to the disk: they share a sync, and leave the writer's lane half free.
pub const BRIDGE_POSTS_MAX: usize = 32;
/// Seconds a broker has to take the connection and to take what is written.
pub const BRIDGE_CONNECT_SECONDS: u64 = 10;
/// Seconds between two pings to a broker: a lost connection is noticed within two.
pub const BRIDGE_KEEP_ALIVE_SECONDS: u64 = 30;
/// Seconds a publication waits for the writer, or a message for the broker's acknowledgement, before the connection is
/// given up: whoever waits at its other end has given up as well.
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
/// Messages sent to a broker that it has not acknowledged: one page of a room, and all that waits in memory.
pub const BRIDGE_WINDOW_MAX: usize = 16;
/// Milliseconds after which the place up to which a broker has acknowledged is written: each write is a sync of the card.
pub const BRIDGE_MARK_MS: u64 = 10_000;
/// Acknowledged messages after which that place is written at once: as many come twice after a power cut at most.
pub const BRIDGE_MARK_MESSAGES: usize = 200;
/// Places of the order that a bridge passes over before it notes that: what a start looks through again.
pub const BRIDGE_SKIPPED_MAX: u64 = 20_000;
/// Newest words of a bridge that are known again without a mark on them: more than a broker sends before it is read.
pub const BRIDGE_ECHOES_MAX: usize = 256;
/// Devices that a search at a broker lists: more would scroll away.
pub const DIALECT_DEVICES_MAX: usize = 500;
/// Values of one device that are listed.
pub const DIALECT_VALUES_MAX: usize = 32;
/// Bridges that a search proposes: no node has more.
pub const DIALECT_HEARS_MAX: usize = BRIDGES_MAX;
/// Values that one proposed template names.
pub const DIALECT_PARTS_MAX: usize = 8;
/// Things one message may tell of devices: a long list of Zigbee2MQTT's.
pub const DIALECT_FOUND_MAX: usize = 10_000;
/// Bytes of a message in which a search looks for devices: that list again.
pub const DIALECT_PAYLOAD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Characters of a device's name, a value's or a unit.
pub const DIALECT_WORD_CHARS_MAX: usize = 64;
/// Seconds a search at a broker lasts at most.
pub const SEARCH_SECONDS_MAX: u64 = 600;
/// Files of one name that a search numbers before it gives up.
pub const SEARCH_FILES_MAX: usize = 99;
