//! What the figures must not fall behind.

use crate::args::{Args, Scenario};
use crate::report::Figures;

/// The side of the bound on which a figure has to be.
#[derive(Clone, Copy)]
enum Side {
    Below,
    AtMost,
    Above,
}

/// A figure and its bound.
struct Gate {
    scenario: Scenario,
    table: &'static str,
    row: &'static str,
    column: &'static str,
    side: Side,
    bound: f64,
    what: &'static str,
}

const fn gate(
    scenario: Scenario,
    (row, column): (&'static str, &'static str),
    side: Side,
    bound: f64,
    what: &'static str,
) -> Gate {
    Gate { scenario, table: scenario.name(), row, column, side, bound, what }
}

/// A gate of the MQTT scenario, which fills several tables.
const fn mqtt(
    table: &'static str,
    (row, column): (&'static str, &'static str),
    side: Side,
    bound: f64,
    what: &'static str,
) -> Gate {
    Gate { scenario: Scenario::Mqtt, table, row, column, side, bound, what }
}

/// Megabytes of these gates are 10^6 bytes, as on a data sheet; resident memory is shown in MiB.
const MB: f64 = 1e6 / crate::machine::MIB;

const GATES: [Gate; 16] = [
    gate(Scenario::Memory, ("idle", "mib"), Side::Below, 10.0 * MB, "idle resident memory, MiB (10 MB)"),
    gate(Scenario::Memory, ("subscriber", "kib"), Side::Below, 6.0, "KiB for each idle subscribed WebSocket"),
    gate(Scenario::Fanout, ("100", "cpu_us"), Side::AtMost, 3.0, "CPU us per delivery to 100 subscribers"),
    gate(
        Scenario::Fanout,
        ("1000", "alone_p99_ms"),
        Side::Below,
        30.0,
        "p99 ms of one message to 1,000 subscribers",
    ),
    gate(
        Scenario::History,
        ("100000", "p50_ms"),
        Side::Below,
        2.0,
        "ms for a history page from 100,000 messages",
    ),
    gate(Scenario::Posts, ("64", "rate"), Side::Above, 5_000.0, "durable posts a second of 64 posters"),
    gate(
        Scenario::Start,
        ("1000000_stop", "mib"),
        Side::Below,
        40.0 * MB,
        "MiB resident with 1,000,000 messages (40 MB)",
    ),
    gate(
        Scenario::Start,
        ("1000000_stop", "ready_ms"),
        Side::Below,
        1_000.0,
        "ms to ready with 1,000,000 messages after a clean stop",
    ),
    mqtt("mqtt_fanout", ("0_1", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 0 to 1"),
    mqtt("mqtt_fanout", ("0_100", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 0 to 100"),
    mqtt("mqtt_fanout", ("0_1000", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 0 to 1,000"),
    mqtt("mqtt_fanout", ("1_1", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 1 to 1"),
    mqtt("mqtt_fanout", ("1_100", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 1 to 100"),
    mqtt("mqtt_fanout", ("1_1000", "share"), Side::Below, 1.0, "CPU of Mosquitto's, QoS 1 to 1,000"),
    mqtt("mqtt_idle", ("linnet", "kib"), Side::Below, 8.0, "KiB for each idle MQTT connection"),
    gate(Scenario::Soak, ("1000000", "mib"), Side::Below, 25.0, "MiB resident after a million posts"),
];

impl Gate {
    fn is_met_by(&self, figure: f64) -> bool {
        match self.side {
            Side::Below => figure < self.bound,
            Side::AtMost => figure <= self.bound,
            Side::Above => figure > self.bound,
        }
    }

    fn words(&self) -> String {
        let side = match self.side {
            Side::Below => "below",
            Side::AtMost => "at most",
            Side::Above => "above",
        };
        format!("{side} {:.4}", self.bound).trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The gates of the scenarios asked for that are missed, or for which there is no figure although there should be.
pub fn missed(args: &Args, figures: &Figures) -> Vec<String> {
    let asked = GATES.iter().filter(|gate| args.scenarios.contains(&gate.scenario));
    asked
        .filter_map(|gate| {
            let figure = figures.get(gate.table, gate.row, gate.column);
            match figure {
                Some(figure) if gate.is_met_by(figure) => None,
                Some(figure) => Some(format!("{}: {figure:.2}, must be {}", gate.what, gate.words())),
                None if args.quick => None,
                None => Some(format!("{}: not measured", gate.what)),
            }
        })
        .collect()
}

/// The gate of a figure, in words, and whether the figure meets it.
pub fn of(scenario: &str, row: &str, column: &str, figure: f64) -> Option<(String, bool)> {
    let is_it = |gate: &&Gate| gate.table == scenario && gate.row == row && gate.column == column;
    GATES.iter().find(is_it).map(|gate| (gate.words(), gate.is_met_by(figure)))
}
