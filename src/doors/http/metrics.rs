//! `GET /metrics`: what the node counts, in the text format 0.0.4 of Prometheus. Open to programs on this very machine;
//! from elsewhere an administrator's token is asked for: `Authorization: Bearer`.
//!
//! Everything is counted where it happens; nothing here looks through what is stored. Bytes per message are
//! `rate(linnet_journal_bytes_total[1h]) / rate(linnet_messages_posted_total[1h])`.

use crate::chat::refusal::{Refusal, Right};
use crate::chat::user::Role;
use crate::doors::http::here::is_from_this_machine;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, Site};
use crate::node::NodeHandle;
use crate::node::health::TroubleKind;
use std::fmt::{Display, Write};

/// The rows of this family.
pub const ROUTES: &[Route] = &[route!(GET "/metrics", Open, 0, Reading, metrics)];

/// As the format's specification names it.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the operating system says of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// Resident memory.
    pub memory_bytes: Option<u64>,
    /// Bytes it caused to be sent to a disk.
    pub written_bytes: Option<u64>,
}

async fn metrics(call: Call) -> Result<Reply, Problem> {
    if !is_from_this_machine(&call) {
        let is_admin = call.read(|_, actor| Ok(actor.device.is_none() && actor.user.is(Role::Admin)))?;
        if !is_admin {
            return Err(Refusal::NotAllowed(Right::ManageNode).into());
        }
    }
    Ok(Reply::bytes(TEXT_FORMAT, exposition(&call.site)?))
}

fn exposition(site: &Site) -> Result<String, Refusal> {
    let mut page = Page(String::new());
    let build = [("version", site.version.as_str()), ("arch", std::env::consts::ARCH)];
    page.family("linnet_build_info", "gauge", "The running program; always 1.").value(&build, 1);
    journal(&mut page, &site.node);
    index(&mut page, &site.node)?;
    traffic(&mut page, site);
    process(&mut page, site)?;
    budget(&mut page, &site.node);
    disk(&mut page, &site.node);
    let standing = site.node.health.current();
    let mut troubles = page.family("linnet_troubles", "gauge", "Troubles that stand now.");
    for kind in TroubleKind::ALL {
        let count = standing.iter().filter(|trouble| trouble.kind == *kind).count();
        troubles.value(&[("kind", kind.word())], count);
    }
    Ok(page.0)
}

fn journal(page: &mut Page, node: &NodeHandle) {
    let writes = node.write_counts();
    page.counter("linnet_journal_bytes_total", "Bytes given to the journal's disk.", writes.bytes());
    page.counter("linnet_journal_groups_total", "Groups written, each with one sync.", writes.groups());
    page.counter("linnet_journal_frames_total", "Changes in these groups.", writes.frames());
    page.counter("linnet_journal_syncs_total", "Syncs of files and folders.", writes.syncs());
    page.counter("linnet_journal_segments_created_total", "Segment files begun.", writes.segments());
    let times = node.counts().syncs();
    let mut family = page.family("linnet_journal_sync_seconds", "histogram", "A group's write and sync.");
    for (most_ms, count) in times.at_most() {
        family.part("_bucket", &[("le", &seconds(most_ms))], count);
    }
    family.part("_bucket", &[("le", "+Inf")], times.count());
    family.part("_sum", &[], seconds(times.sum_ms()));
    family.part("_count", &[], times.count());
}

fn index(page: &mut Page, node: &NodeHandle) -> Result<(), Refusal> {
    node.read(|reading| {
        let counts = reading.index_counts();
        page.counter("linnet_index_bytes_total", "Keys and values given to the index.", counts.bytes());
        page.counter("linnet_index_writes_total", "Keys written or removed.", counts.writes());
        page.counter("linnet_index_batches_total", "Batches of these writes.", counts.batches());
        page.counter("linnet_index_syncs_total", "Syncs of the index.", counts.syncs());
        page.counter("linnet_index_checkpoints_total", "Checkpoints completed.", counts.checkpoints());
        let (segments, bytes) = reading.journal_size();
        page.gauge("linnet_journal_segments", "Segment files.", segments);
        let mut sizes = page.family("linnet_data_bytes", "gauge", "Bytes kept in the data folder.");
        sizes.value(&[("part", "journal")], bytes);
        sizes.value(&[("part", "index")], reading.index_bytes());
        let trusted = reading.now().trusted;
        page.gauge("linnet_clock_trusted", "Whether the wall clock can be trusted.", u8::from(trusted));
        Ok(())
    })
}

fn budget(page: &mut Page, node: &NodeHandle) {
    let budget = &node.budget;
    let mut bytes =
        page.family("linnet_budget_bytes", "gauge", "Memory the node may use, and its caches within.");
    bytes.value(&[("part", "memory")], budget.memory);
    bytes.value(&[("part", "cache")], budget.cache());
    bytes.value(&[("part", "index")], budget.index_cache);
    bytes.value(&[("part", "newest")], budget.tail_bytes);
    page.gauge("linnet_listeners_max", "Listeners and sessions at one time.", budget.sessions);
    page.gauge("linnet_connections_max", "HTTP connections at one time.", budget.connections);
}

fn disk(page: &mut Page, node: &NodeHandle) {
    let Some(space) = node.disk.space() else { return };
    page.gauge("linnet_disk_free_bytes", "Free on the data folder's disk.", space.free);
    page.gauge("linnet_disk_total_bytes", "Size of the data folder's disk.", space.total);
    page.gauge("linnet_disk_floor_bytes", "Below so much free space writes are refused.", node.disk.floor());
}

fn traffic(page: &mut Page, site: &Site) {
    let counts = site.node.counts();
    page.counter("linnet_messages_posted_total", "Messages posted and kept.", counts.messages());
    let mut refusals = page.family("linnet_refusals_total", "counter", "Writes that were refused.");
    for (reason, count) in counts.refusals() {
        refusals.value(&[("reason", reason)], count);
    }
    page.gauge("linnet_jobs_waiting", "Jobs that wait for the writer.", site.node.waiting());
    page.gauge("linnet_listeners", "Who is told of Changes as they happen.", site.node.hub.listeners());
    page.gauge("linnet_connections", "Sockets of clients, streams included.", site.sockets.taken());
}

fn process(page: &mut Page, site: &Site) -> Result<(), Refusal> {
    let mono_ms = site.node.read(|reading| Ok(reading.world().mono_ms()))?;
    page.gauge("linnet_uptime_seconds", "Since the start.", seconds(mono_ms));
    let stalled = seconds(site.node.health.stalled_ms(mono_ms));
    page.gauge("linnet_stalled_seconds", "For how long a thread has been at one piece of work.", stalled);
    let process = (site.process)();
    if let Some(bytes) = process.memory_bytes {
        page.gauge("linnet_memory_resident_bytes", "Resident memory.", bytes);
    }
    if let Some(bytes) = process.written_bytes {
        let help = "Bytes this process caused to be sent to a disk, by the kernel's count.";
        page.counter("linnet_process_written_bytes_total", help, bytes);
    }
    Ok(())
}

fn seconds(ms: u64) -> String {
    format!("{}", ms as f64 / 1_000.0)
}

/// The page as it grows, line by line.
struct Page(String);

impl Page {
    fn family<'a>(&'a mut self, name: &'a str, kind: &str, help: &str) -> Family<'a> {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { page: self, name }
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help).value(&[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help).value(&[], value);
    }
}

/// The samples of one name.
struct Family<'a> {
    page: &'a mut Page,
    name: &'a str,
}

impl Family<'_> {
    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.page.0, "{}{suffix}{labels} {value}", self.name);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
