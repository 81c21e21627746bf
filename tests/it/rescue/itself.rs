//! A node fills what its journal lost by itself when it starts, from the folder of scheduled backups; and what stays lost
//! is never forgotten. The real program on real folders.

use super::mend::{Frames, backed_up, damage, data, frames, said, segments};
use crate::harness::process::Process;
use crate::program::Desk;
use linnet::store::backup::folder::{BackupFolder, MARKER};
use linnet::store::backup::{Mode, Source};
use serde_json::Value;
use std::fs;

/// What happened, and how.
type Hurt<'a> = (&'a str, &'a dyn Fn(&Desk));

/// Settings with a stick, and on it the backup that was made, if it is plugged in.
fn give_stick(desk: &Desk, is_plugged: bool) {
    fs::write(desk.path().join("linnet.toml"), "[backup]\nfolder = 'stick'\nevery = '7d'\n").unwrap();
    if is_plugged {
        plug(desk);
    }
}

fn plug(desk: &Desk) {
    let stick = desk.path().join("stick");
    fs::create_dir(&stick).unwrap();
    fs::write(stick.join(MARKER), "").unwrap();
    let backup = desk.path().join("b.backup");
    let source = Source::open(fs::File::open(&backup).unwrap(), Mode::Whole).unwrap();
    let place = BackupFolder::new(stick, source.head().node).place(source.head());
    fs::copy(&backup, place).unwrap();
}

fn health(node: &Process) -> Value {
    node.ask("GET", "/health", &[], None).json()
}

fn missing(desk: &Desk, all: &Frames) -> Vec<u64> {
    let after = frames(desk);
    for (seq, payload) in all {
        assert!(after.get(seq).is_none_or(|now| now == payload), "{seq} is another one now");
    }
    all.keys().filter(|seq| !after.contains_key(seq)).copied().collect()
}

/// Says what a check says: its exit code and its report.
fn checked(desk: &Desk, options: &str) -> (i32, Value) {
    let ran = desk.run(&format!("check --json {options}"));
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", said(&ran))))
}

fn remove(desk: &Desk, which: std::ops::Range<usize>) {
    for path in &segments(desk)[which] {
        fs::remove_file(path).unwrap();
    }
}

/// Everything the backup has: nothing was said after it.
fn all_backed_up() -> (Desk, Frames) {
    let (desk, _, _) = backed_up();
    fs::remove_file(desk.path().join("b.backup")).unwrap();
    let ran = desk.run("backup b.backup");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let all = frames(&desk);
    (desk, all)
}

#[test]
fn a_start_brings_back_missing_segments_and_a_lost_end() {
    let hurts: [Hurt<'_>; 5] = [
        ("a segment is missing", &|desk| remove(desk, 2..3)),
        ("the beginning is missing", &|desk| remove(desk, 0..2)),
        ("the end is gone", &|desk| remove(desk, segments(desk).len() - 2..segments(desk).len())),
        ("the end is gone and the index with it", &|desk| {
            remove(desk, segments(desk).len() - 2..segments(desk).len());
            fs::write(data(desk).join("index/db"), "no database at all").unwrap();
        }),
        ("the journal is gone", &|desk| remove(desk, 0..segments(desk).len())),
    ];
    for (what, hurt) in hurts {
        let (desk, all) = all_backed_up();
        give_stick(&desk, true);
        hurt(&desk);
        assert!(missing(&desk, &all).len() > 100, "{what}");
        let node = Process::start(&desk, "");
        let health = health(&node);
        assert!(health["troubles"].to_string().contains("came back from"), "{what}: {health}");
        assert_eq!(node.stop(), 0);
        assert!(missing(&desk, &all).is_empty(), "{what}");
        let ran = desk.run("check");
        assert!(ran.code == 0 && ran.out.contains("everything is well"), "{what}: {}", said(&ran));
    }
}

#[test]
fn a_zeroed_block_that_the_node_met_while_it_ran_is_filled_by_the_next_start() {
    let (desk, all) = all_backed_up();
    give_stick(&desk, true);
    damage(&segments(&desk)[0], |bytes| bytes[20_000..24_096].fill(0));
    let node = Process::start(&desk, "");
    let mut told = Value::Null;
    let is_told = |told: &mut Value| {
        *told = health(&node);
        told["troubles"].to_string().contains("journal_damaged")
    };
    let began = std::time::Instant::now();
    while !is_told(&mut told) {
        assert!(began.elapsed() < crate::harness::wait::LIMIT, "{told}");
        std::thread::yield_now();
    }
    assert_eq!(node.stop(), 0);
    assert!(!missing(&desk, &all).is_empty());
    assert_eq!(Process::start(&desk, "").stop(), 0);
    assert!(missing(&desk, &all).is_empty());
}

#[test]
fn without_its_stick_a_node_starts_and_the_next_start_with_it_brings_all_back() {
    let (desk, all) = all_backed_up();
    give_stick(&desk, false);
    let newest = segments(&desk).len();
    remove(&desk, newest - 2..newest);
    let gone = missing(&desk, &all);
    // An index that is built anew knows nothing of what was: that something is lost must not be lost.
    fs::write(data(&desk).join("index/db"), "no database at all").unwrap();
    let node = Process::start(&desk, "");
    let told = health(&node)["troubles"].to_string();
    assert!(told.contains("plug it in") && told.contains("The end of the journal is gone"), "{told}");
    assert_eq!(node.stop(), 0);
    assert_eq!(missing(&desk, &all), gone, "no number was given twice");
    let (code, report) = checked(&desk, "");
    assert_eq!((code, &report["lost"][0]["changes"]), (1, &gone.len().into()), "{report}");
    plug(&desk);
    let node = Process::start(&desk, "");
    assert!(health(&node)["troubles"].to_string().contains("came back from"));
    assert_eq!(node.stop(), 0);
    assert!(missing(&desk, &all).is_empty());
    assert_eq!(desk.run("check").code, 0);
}

#[test]
fn a_lost_end_comes_back_by_hand_after_the_node_went_on_without_it() {
    let (desk, all) = all_backed_up();
    let newest = segments(&desk).len();
    remove(&desk, newest - 2..newest);
    for _ in 0..2 {
        assert_eq!(Process::start(&desk, "").stop(), 0);
    }
    assert!(missing(&desk, &all).len() > 100);
    let ran = desk.run("check --repair --backup b.backup");
    assert_eq!(ran.code, 0, "{}", said(&ran));
    assert!(missing(&desk, &all).is_empty());
    assert_eq!(desk.run("check").code, 0);
}

#[test]
fn what_stays_lost_is_known_from_then_on_and_a_trouble_until_somebody_says_so() {
    let (desk, all, last) = backed_up();
    give_stick(&desk, true);
    let newest = segments(&desk).len();
    remove(&desk, 2..newest - 1);
    let node = Process::start(&desk, "");
    let told = health(&node)["troubles"].to_string();
    assert!(told.contains("came back from") && told.contains("lost for good"), "{told}");
    assert_eq!(node.stop(), 0);
    let gone = missing(&desk, &all);
    assert!(!gone.is_empty() && gone.iter().all(|seq| *seq > last), "{gone:?}");
    let (code, report) = checked(&desk, "");
    let earlier = &report["lost_earlier"][0];
    assert_eq!((code, &report["lost_count"]), (0, &0.into()), "{report}");
    assert_eq!(earlier["changes"], gone.len(), "{report}");
    assert_eq!((&earlier["first"], &earlier["last"]), (&gone[0].into(), &gone[gone.len() - 1].into()));
    assert!(earlier["since_ms"].is_u64() && earlier["until_ms"].is_u64(), "{report}");
    let ran = desk.run("check");
    assert!(ran.out.contains("lost earlier, known since") && !ran.out.contains("is well"), "{}", said(&ran));
    // It is a trouble at every start, until somebody knows; then it is still listed.
    let node = Process::start(&desk, "");
    assert_eq!(health(&node)["status"], "error");
    let (code, report) = checked(&desk, "--accept");
    assert_eq!((code, &report["lost_earlier"][0]["accepted"]), (0, &true.into()), "{report}");
    assert_ne!(health(&node)["status"], "error");
    assert_eq!(node.stop(), 0);
    let node = Process::start(&desk, "");
    assert_ne!(health(&node)["status"], "error");
    assert_eq!(node.stop(), 0);
    assert!(desk.run("check").out.contains("lost earlier"));
    // What is damaged later is news.
    damage(&segments(&desk)[0], |bytes| bytes[20_000..24_096].fill(0));
    assert_eq!(checked(&desk, "").0, 1);
}

#[test]
fn a_loss_without_any_backup_can_be_accepted() {
    let (desk, all, _) = backed_up();
    remove(&desk, 2..3);
    let (code, report) = checked(&desk, "");
    assert_eq!((code, &report["lost_count"]), (1, &1.into()), "{report}");
    let (code, report) = checked(&desk, "--accept");
    assert_eq!((code, &report["lost_count"]), (0, &0.into()), "{report}");
    assert_eq!(report["lost_earlier"][0]["changes"], missing(&desk, &all).len(), "{report}");
    // A repair still brings it back, and then nothing is lost any more.
    let ran = desk.run("check --repair --backup b.backup");
    assert_eq!(ran.code, 0, "{}", said(&ran));
    assert!(missing(&desk, &all).is_empty());
    assert!(desk.run("check").out.contains("everything is well"));
}
