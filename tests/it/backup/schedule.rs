//! Backups by the clock: the real binary and a folder that stands for a stick.

use crate::harness::process::Process;
use crate::harness::wait::LIMIT;
use crate::program::Desk;
use linnet::store::backup::folder::MARKER;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

const SETTINGS: &str = "[backup]\nfolder = 'stick'\nevery = '10m'\nkeep = 2\n";

fn backups(desk: &Desk) -> Vec<PathBuf> {
    let entries = fs::read_dir(desk.path().join("stick")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|kind| kind == "backup")).collect()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

fn troubles(process: &Process) -> String {
    let heard = process.ask("GET", "/health", &[], None);
    heard.json()["troubles"].to_string()
}

#[test]
fn a_first_backup_is_made_at_once_and_shown_in_the_status() {
    let desk = Desk::with(&[("linnet.toml", SETTINGS), ("stick/other.txt", "")]);
    let process = Process::start(&desk, "");
    until("a backup is there", || backups(&desk).len() == 1);
    let status = || -> Value { serde_json::from_str(&desk.run("status --json").out).unwrap() };
    until("the status shows it", || status()["backup"]["last_seq"].is_u64());
    assert_eq!(status()["backup"]["folder"], "stick");
    assert!(desk.run("status").out.contains(", in stick\n"));
    assert_eq!(troubles(&process), "[]");
    assert!(desk.path().join("stick").join(MARKER).exists());
    drop(process);
    let name = backups(&desk)[0].strip_prefix(desk.path()).unwrap().display().to_string();
    assert_eq!(desk.run(&format!("restore {name} --data two")).code, 0);
    assert_eq!(desk.run("status --data two").code, 0);
}

#[test]
fn a_stick_that_is_gone_is_said_and_its_mount_point_stays_empty() {
    let desk = Desk::with(&[("linnet.toml", SETTINGS)]);
    let process = Process::start(&desk, "");
    until("the missing folder is said", || troubles(&process).contains("is the stick plugged in"));
    drop(process);
    assert!(!desk.path().join("stick").exists(), "no folder is made");
    fs::create_dir(desk.path().join("stick")).unwrap();
    let process = Process::start(&desk, "");
    until("a backup is there", || backups(&desk).len() == 1);
    drop(process);
    // The stick is pulled: its mount point is an empty folder.
    fs::remove_dir_all(desk.path().join("stick")).unwrap();
    fs::create_dir(desk.path().join("stick")).unwrap();
    let process = Process::start(&desk, "");
    until("the empty mount point is said", || troubles(&process).contains("backup_failed"));
    assert!(troubles(&process).contains(MARKER), "and what to do about it");
    assert_eq!(fs::read_dir(desk.path().join("stick")).unwrap().count(), 0);
}
