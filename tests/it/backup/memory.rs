//! A node that is backed up holds a few pieces of it in memory, however much it keeps.

use crate::harness::life::words;
use crate::harness::process::Process;
use crate::program::Desk;
use linnet::base::world::OsWorld;
use linnet::chat::room::Room;
use linnet::node::Caller;
use linnet::node::start::start;
use linnet::store::disk::OsDisk;
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::Options;
use std::path::Path;
use std::sync::Arc;

/// What is kept: far more than a backup may hold.
const KEPT_BYTES: u64 = 48 * 1024 * 1024;
/// What backups may add to the highest memory use so far: a group of the journal, a few pieces, and what an allocator
/// keeps of them on another thread.
const GROWTH_KB: u64 = 8 * 1024;

/// Fills a data folder's journal with long messages.
fn fill(data: &Path) {
    let disk = Arc::new(OsDisk::new(data.to_owned()));
    let world = Arc::new(OsWorld::new());
    let (mut parts, _) = start(disk, Box::new(MemoryKv::default()), world, Options::default()).unwrap();
    let long = "𝄞".repeat(4_990);
    let mut bytes = 0;
    while bytes < KEPT_BYTES {
        for number in 0..12 {
            let draft = words(&format!("{number} {long}"));
            bytes += draft.text.as_str().len() as u64;
            parts.node.transact(|n| n.post_message(&Caller::Operator, &Room::GENERAL, draft)).unwrap();
        }
        let formed = parts.node.hand_over();
        parts.writer.write(formed.group.as_ref().unwrap()).unwrap();
        parts.settled.settle(&formed.batch.layer, formed.reached);
    }
}

/// The most memory the process has had so far, in KiB.
fn peak_kb(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_backup_costs_the_node_no_memory() {
    let desk = Desk::with(&[]);
    let data = desk.path().join("linnet-data");
    fill(&data);
    let process = Process::start(&desk, "");
    let before = peak_kb(&process);
    for _ in 0..2 {
        let ran = desk.run("backup all.backup --force");
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    assert!(desk.path().join("all.backup").metadata().unwrap().len() > KEPT_BYTES);
    let growth = peak_kb(&process) - before;
    assert!(growth < GROWTH_KB, "it grew by {growth} KiB");
}
