//! What the kernel says of a process and of the machine: CPU time, memory, and who else was busy.

use crate::{Outcome, wrong};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;

/// Ticks of `/proc` in a second: Linux tells user space 100 on every machine it runs on.
const TICKS_PER_S: f64 = 100.0;
/// Sockets of the largest scenario on both ends, with some room.
const FILES_WANTED: u64 = 8_192;
/// Bytes in a KiB.
pub const KIB: f64 = 1_024.0;
/// Bytes in a MiB.
pub const MIB: f64 = 1_024.0 * KIB;

/// Lets this process, and the server it starts, open enough files.
pub fn allow_many_sockets() -> Outcome<()> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES_WANTED, |most| most.min(FILES_WANTED));
    if limit.current.is_some_and(|now| now < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })?;
    }
    Ok(())
}

/// Seconds of CPU a process has used: user and kernel, all its threads.
pub fn cpu_s(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything: fields count from after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
    match ticks[..] {
        [user, system] => Ok((user + system) / TICKS_PER_S),
        _ => Err(wrong(format!("/proc/{pid}/stat has an unknown form"))),
    }
}

/// Bytes of a process that are resident.
pub fn resident_bytes(pid: u32) -> Outcome<f64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib * KIB).ok_or_else(|| wrong(format!("/proc/{pid}/smaps_rollup has no Rss")))
}

/// What this machine is, in a line.
pub fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = value(&cpus, "model name").or(value(&cpus, "Model")).unwrap_or("unknown CPU".into());
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kib: f64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} x {model}, {:.0} GiB, Linux {}", kib / MIB, kernel.trim())
}

/// A look at who uses the machine, so that figures taken beside somebody else's work say so.
pub struct Quiet {
    machine: (f64, f64),
    ours: f64,
}

impl Quiet {
    /// Begins to watch.
    pub fn begin() -> Quiet {
        Quiet { machine: machine_s(), ours: ours_s() }
    }

    /// The share of the machine's CPU time, since the beginning, that went to neither the benchmark nor its servers.
    pub fn others_share(&self) -> f64 {
        let (busy, all) = machine_s();
        let (busy, all) = (busy - self.machine.0, all - self.machine.1);
        let ours = ours_s() - self.ours;
        if all > 0.0 { ((busy - ours) / all).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// Seconds of CPU the machine was busy and could have been.
fn machine_s() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    let all: f64 = ticks.iter().sum();
    // The fourth and fifth are idle and waiting for the disk.
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    ((all - idle) / TICKS_PER_S, all / TICKS_PER_S)
}

/// Seconds of CPU used by this process and by those of its children that have ended.
fn ours_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4).flat_map(str::parse::<f64>);
    ticks.sum::<f64>() / TICKS_PER_S
}
