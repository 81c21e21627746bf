//! `linnet status`: how the node is.

use super::Action;
use super::args::{Opt, Spec};
use super::table::{bytes, duration, plain, table, utc};
use crate::doors::control::vitals::{BudgetLine, DiskLine, Vitals, WriteLine};
use crate::doors::control::wire::{BackupLine, BridgeLine, Request, StatusReport};

pub(super) const STATUS: Spec = Spec {
    words: "status",
    operands: &[],
    options: &[Opt::switch("--json")],
    help: HELP,
    build: |given, _| {
        Ok(Action::Ask { sources: given.sources(), request: Request::Status, json: given.has("--json") })
    },
};

const HELP: &str = "\
linnet status: how the node is

usage: linnet status [--json]

  --json           for scripts
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

examples:
  linnet status
  linnet status --json | jq .running
";

/// Everything the node said of itself.
pub(super) fn show(report: &StatusReport) -> String {
    let mut rows = vec![vec!["version".to_owned(), plain(&report.version)]];
    let mut row =
        |name: &str, value: Option<String>| rows.extend(value.map(|value| vec![name.to_owned(), value]));
    row("data", Some(plain(&report.data)));
    let since = report.uptime_s.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
    let process = report.pid.map(|pid| format!(", process {pid}")).unwrap_or_default();
    row(
        "node",
        Some(if report.running { format!("running{since}{process}") } else { "not running".to_owned() }),
    );
    row("http", report.http.as_deref().map(plain));
    row("mqtt", report.mqtt.as_deref().map(plain));
    row("memory", report.memory_bytes.map(bytes));
    row("budget", report.budget.as_ref().filter(|_| report.running).map(budget_words));
    row("people", Some(report.users.to_string()));
    row("devices", Some(report.devices.to_string()));
    row("rooms", Some(report.rooms.to_string()));
    row("messages", Some(report.messages.to_string()));
    let vitals = report.vitals.as_ref();
    row("kept", vitals.map(kept_words));
    row("written", vitals.filter(|_| report.running).map(|vitals| written_words(&vitals.writes)));
    row("disk", vitals.and_then(|vitals| vitals.disk.as_ref()).map(disk_words));
    row("clock", vitals.map(|vitals| clock_words(&vitals.clock).to_owned()));
    row("backup", report.backup.as_ref().map(backup_words));
    for bridge in &report.bridges {
        row("bridge", Some(bridge_words(bridge)));
    }
    for trouble in vitals.into_iter().flat_map(|vitals| &vitals.troubles) {
        row(&plain(&trouble.severity), Some(plain(&trouble.text)));
    }
    let next = if report.running { "next: linnet room list" } else { "next: linnet serve" };
    format!("{}{next}\n", table(&[], rows.into_iter()))
}

fn backup_words(backup: &BackupLine) -> String {
    let last = match backup.last_ms.zip(backup.last_seq) {
        Some((ms, seq)) => format!("last {}, up to sequence {seq}", utc(ms)),
        None => "none yet".to_owned(),
    };
    format!("{last}, in {}", plain(&backup.folder))
}

fn budget_words(budget: &BudgetLine) -> String {
    let mib = |bytes: u64| format!("{} MiB", bytes / (1024 * 1024));
    let [memory, cache] = [budget.memory_bytes, budget.cache_bytes].map(mib);
    let (sessions, connections) = (budget.sessions, budget.connections);
    format!("{memory}, {cache} of it caches; {sessions} may listen, {connections} connections")
}

fn kept_words(vitals: &Vitals) -> String {
    format!("{} of messages, {} of index", bytes(vitals.journal_bytes), bytes(vitals.index_bytes))
}

fn written_words(writes: &WriteLine) -> String {
    let (all, syncs) = (writes.journal_bytes + writes.index_bytes, writes.journal_syncs + writes.index_syncs);
    let each = match writes.messages {
        0 => String::new(),
        messages => format!(", {} bytes a message", all / messages),
    };
    format!("{} in {syncs} syncs since the start{each}", bytes(all))
}

fn disk_words(disk: &DiskLine) -> String {
    let (free, total) = (bytes(disk.free_bytes), bytes(disk.total_bytes));
    format!("{free} of {total} free, {} of it kept free", bytes(disk.floor_bytes))
}

fn clock_words(trust: &str) -> &'static str {
    match trust {
        "machine" => "kept by this machine",
        "person" => "set by a person",
        _ => "not known: set it on the page",
    }
}

fn bridge_words(bridge: &BridgeLine) -> String {
    let how = match &bridge.error {
        None if bridge.connected => "connected".to_owned(),
        None => "connecting".to_owned(),
        Some(error) => plain(error),
    };
    let dropped = if bridge.dropped > 0 { format!(", {} dropped", bridge.dropped) } else { String::new() };
    let (name, broker) = (plain(&bridge.name), plain(&bridge.broker));
    let sent = if bridge.sent > 0 { format!(", {} sent", bridge.sent) } else { String::new() };
    format!("{name} at {broker}: {how}, {} posted{sent}{dropped}", bridge.posted)
}
