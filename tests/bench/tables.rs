//! The tables the figures stand in.

/// A column: the key of its figures, its title with the unit, and how many digits are shown.
pub struct Column {
    pub key: &'static str,
    pub title: &'static str,
    pub digits: usize,
}

/// A table: a scenario, with rows and columns.
pub struct Table {
    pub scenario: &'static str,
    pub title: &'static str,
    pub rows: &'static [(&'static str, &'static str)],
    pub columns: &'static [Column],
}

const fn column(key: &'static str, title: &'static str, digits: usize) -> Column {
    Column { key, title, digits }
}

pub const TABLES: [Table; 12] = [
    Table {
        scenario: "memory",
        title: "resident memory",
        rows: &[
            ("idle", "idle, nobody has come yet"),
            ("used", "after a login and one session"),
            ("subscriber", "each of 1,000 idle subscribed WebSockets"),
        ],
        columns: &[column("mib", "MiB", 1), column("kib", "KiB", 2)],
    },
    Table {
        scenario: "posts",
        title: "durable posts",
        rows: &[
            ("1", "1 poster"),
            ("8", "8 posters"),
            ("64", "64 posters"),
            ("ddp16", "1 realtime session, 16 in flight"),
        ],
        columns: &[
            column("rate", "posts/s", 0),
            column("p50_ms", "p50 ms", 2),
            column("p99_ms", "p99 ms", 2),
            column("cpu_us", "CPU us/post", 1),
            column("disk_ms", "disk alone: p50 ms", 2),
            column("disk_rate", "its posts/s", 0),
            column("share", "share of it", 2),
        ],
    },
    Table {
        scenario: "fanout",
        title: "fan-out",
        rows: &[("1", "1 subscriber"), ("100", "100 subscribers"), ("1000", "1,000 subscribers")],
        columns: &[
            column("rate", "deliveries/s", 0),
            column("cpu_us", "CPU us/delivery", 2),
            column("p50_ms", "16 in flight: p50 ms", 2),
            column("p99_ms", "p99 ms", 2),
            column("alone_p50_ms", "one at a time: p50 ms", 2),
            column("alone_p99_ms", "p99 ms", 2),
        ],
    },
    Table {
        scenario: "start",
        title: "start",
        rows: &[
            ("100000_stop", "100,000 messages, after a stop"),
            ("100000_kill", "100,000 messages, after kill -9"),
            ("1000000_stop", "1,000,000 messages, after a stop"),
            ("1000000_kill", "1,000,000 messages, after kill -9"),
        ],
        columns: &[
            column("ready_ms", "ready after ms", 0),
            column("mib", "resident MiB", 1),
            column("journal_mib", "journal MiB", 0),
            column("index_mib", "index MiB", 1),
        ],
    },
    Table {
        scenario: "history",
        title: "a history page of 50, anywhere",
        rows: &[
            ("100000", "room of 100,000"),
            ("100000_of_1000000", "room of 100,000 among 1,000,000"),
            ("900000", "room of 900,000"),
        ],
        columns: &[
            column("p50_ms", "p50 ms", 2),
            column("p99_ms", "p99 ms", 2),
            column("cpu_us", "CPU us/page", 0),
        ],
    },
    Table {
        scenario: "writes",
        title: "what reaches the disk",
        rows: &[
            ("steady", "one message a second"),
            ("sqlite_steady", "SQLite (WAL, full), one a second"),
            ("burst", "64 posters"),
            ("sqlite_burst", "SQLite, one by one"),
            ("sqlite_groups", "SQLite, 64 in a transaction"),
        ],
        columns: &[
            column("messages", "messages", 0),
            column("bytes", "bytes/message", 0),
            column("times", "times its text", 1),
        ],
    },
    Table {
        scenario: "mqtt_fanout",
        title: "MQTT fan-out",
        rows: &[
            ("0_1", "QoS 0, 1 subscriber"),
            ("0_100", "QoS 0, 100 subscribers"),
            ("0_1000", "QoS 0, 1,000 subscribers"),
            ("1_1", "QoS 1, 1 subscriber"),
            ("1_100", "QoS 1, 100 subscribers"),
            ("1_1000", "QoS 1, 1,000 subscribers"),
        ],
        columns: &[
            column("rate", "linnet, deliveries/s", 0),
            column("cpu_us", "CPU us", 2),
            column("other_rate", "Mosquitto, deliveries/s", 0),
            column("other_cpu_us", "CPU us", 2),
            column("share", "CPU, share of it", 2),
        ],
    },
    Table {
        scenario: "mqtt_ingest",
        title: "MQTT ingest, 100 devices, QoS 1",
        rows: &[("live", "nobody wants it"), ("kept", "kept for a session that is away")],
        columns: &[
            column("rate", "linnet, messages/s", 0),
            column("cpu_us", "CPU us", 2),
            column("other_rate", "Mosquitto, messages/s", 0),
            column("other_cpu_us", "CPU us", 2),
            column("share", "CPU, share of it", 2),
        ],
    },
    Table {
        scenario: "mqtt_idle",
        title: "5,000 idle MQTT connections",
        rows: &[("linnet", "linnet"), ("mosquitto", "Mosquitto")],
        columns: &[column("kib", "KiB each", 2)],
    },
    Table {
        scenario: "mqtt_backlog",
        title: "10,000 messages for a returning session",
        rows: &[("linnet", "linnet"), ("mosquitto", "Mosquitto")],
        columns: &[column("ms", "ms", 0), column("rate", "messages/s", 0)],
    },
    Table {
        scenario: "hostile",
        title: "others meanwhile, and memory, with a budget of 64 MB",
        rows: &[
            ("half connects", "20,000 half connects"),
            ("refused connects", "20,000 who are told no"),
            ("half packets", "2,000 long packets without an end"),
            ("malformed", "4,000 malformed conversations"),
            ("user properties", "10,000 user properties on each packet"),
            ("filters", "filters of 64 KiB, and 60,000 long ones"),
            ("open ids", "65,535 open ids of QoS 2, 100 times"),
            ("deaf", "200 who do not read, 400 MB for them"),
            ("silent", "50 who do not acknowledge, 400 MB for them"),
            ("wills", "5,000 wills at once"),
            ("retained", "100,000 retained topics, and more"),
        ],
        columns: &[
            column("delivery_ms", "slowest delivery, ms", 0),
            column("welcome_ms", "slowest new connection, ms", 0),
            column("own_mib", "memory of its own, MiB", 1),
            column("mib", "peak resident, MiB", 1),
        ],
    },
    Table {
        scenario: "soak",
        title: "posts, 200 subscribers coming and going",
        rows: &[
            ("0", "0"),
            ("100000", "100,000"),
            ("200000", "200,000"),
            ("300000", "300,000"),
            ("400000", "400,000"),
            ("500000", "500,000"),
            ("600000", "600,000"),
            ("700000", "700,000"),
            ("800000", "800,000"),
            ("900000", "900,000"),
            ("1000000", "1,000,000"),
        ],
        columns: &[column("mib", "resident MiB", 1), column("came", "subscribers so far", 0)],
    },
];
