//! `linnet check` and `linnet rebuild-index` on real folders: what is damaged is named, what can be repaired is.

use super::damage::Home;
use crate::harness::process::Process;
use crate::program::{Desk, Ran};
use linnet::store::index::kv::{Kv, Shelf};
use linnet::store::index::sled::SledKv;
use linnet::store::keys;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A folder with a history, and no node.
fn desk() -> Desk {
    let desk = Desk::with(&[]);
    let mut home = Home::open(&data(&desk)).unwrap();
    home.live(0, 30);
    home.checkpoint();
    desk
}

fn data(desk: &Desk) -> PathBuf {
    desk.path().join("linnet-data")
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

/// Every file but the lock, which names its holder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.append(&mut self::files(&path)),
            false if path.ends_with("lock") || path.ends_with("format") => {}
            false => drop(files.insert(path.clone(), fs::read(path).unwrap())),
        }
    }
    files
}

/// Makes a hole in the index that the database knows nothing of.
fn make_a_hole(desk: &Desk) {
    let kv = SledKv::open(&data(desk).join("index")).unwrap();
    let table = &keys::blocks(&linnet::base::id::RoomId::fixed(""))[..1];
    let blocks = kv.scan(table, &keys::end_of(table), 3).unwrap();
    assert_eq!(blocks.len(), 3);
    kv.write(&[(blocks[1].0.clone(), None)]).unwrap();
    kv.sync().unwrap();
}

#[test]
fn a_sound_store_is_found_sound_and_left_as_it_is() {
    let desk = desk();
    let before = files(&data(&desk));
    let ran = desk.run("check");
    assert_eq!((ran.code, ran.out.contains("everything is well")), (0, true), "{}{}", ran.out, ran.err);
    assert!(files(&data(&desk)) == before, "the check changed something");
    let node = Process::start(&desk, "");
    let ran = desk.run("check --json");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let report = report(&ran);
    assert!(report["changes"].as_u64() > Some(600) && report["entries"].as_u64() > Some(700), "{report}");
    assert_eq!(node.stop(), 0);
    assert!(!data(&desk).join("checking").exists());
}

#[test]
fn a_check_of_a_node_at_work_finds_no_fault_in_what_is_written_meanwhile() {
    let desk = desk();
    let node = Process::start(&desk, "");
    let added = report(&desk.run("device add porch --room garden --json"));
    let bearer = format!("Bearer {}", added["token"].as_str().unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let heard = node.ask("POST", "/garden", &[("Authorization", &bearer)], Some(b"door opened"));
                assert!(heard.status == 200 || heard.status == 429, "{}", heard.text());
            }
        });
        for _ in 0..5 {
            let ran = desk.run("check");
            assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_hole_in_the_index_is_named_and_repaired() {
    let desk = desk();
    make_a_hole(&desk);
    let ran = desk.run("check");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("where a room's messages lie is not what the journal says"), "{}", ran.out);
    let ran = desk.run("check --repair");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("quarantine-1"), "{}", ran.out);
    assert_eq!(desk.run("check").code, 0);
    fs::write(data(&desk).join("index/db"), "no database at all").unwrap();
    assert_eq!(desk.run("check").code, 1);
    let ran = desk.run("rebuild-index");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(desk.run("check").code, 0);
}

#[test]
fn a_running_node_repairs_itself_by_starting_anew() {
    let desk = desk();
    make_a_hole(&desk);
    let mut node = Process::start(&desk, "");
    assert_eq!(desk.run("check").code, 1);
    let ran = desk.run("check --repair");
    assert!(ran.out.contains("starts anew"), "{}{}", ran.out, ran.err);
    assert!(node.started_anew());
    assert_eq!(desk.run("check").code, 0);
    assert_eq!(desk.run("rebuild-index").code, 0);
    assert!(node.started_anew());
    assert!(data(&desk).join("quarantine-2").exists());
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_a_damaged_journal_lost_is_told_by_number_and_time() {
    let desk = desk();
    let mut segments: Vec<_> =
        fs::read_dir(data(&desk).join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let mut bytes = fs::read(&segments[0]).unwrap();
    bytes[20_000..24_000].fill(0xA5);
    fs::write(&segments[0], bytes).unwrap();
    let ran = desk.run("check --json");
    assert_eq!(ran.code, 1);
    let told = report(&ran);
    let lost = &told["lost"][0];
    assert!(
        lost["changes"].as_u64() > Some(10) && lost["from_ms"].is_u64() && lost["until_ms"].is_u64(),
        "{told}"
    );
    // The index knows more than what is left of the journal: it is not taken away.
    assert_eq!(told["findings_count"], 0, "{told}");
    let ran = desk.run("check --repair");
    assert!(ran.code == 1 && ran.out.contains("Changes are lost, "), "{}", ran.out);
    assert!(!data(&desk).join("quarantine-1").exists());
}
