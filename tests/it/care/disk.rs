//! Space is really given back: what the folder of a real node takes on a real disk.

use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const MEGABYTE: u64 = 1_000_000;

/// Bytes that the disk has set aside for a folder, as `du` counts them.
fn taken(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let each = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => taken(&entry.path()),
        // Files may come and go between two looks.
        false => entry.metadata().map_or(0, |file| file.blocks() * 512),
    };
    entries.map(each).sum()
}

/// Bytes of all files of the journal but the newest, which has its room prepared.
fn sealed(data: &Path) -> u64 {
    let files = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files.pop();
    files.iter().map(|file| fs::metadata(file).unwrap().blocks() * 512).sum()
}

/// Some twenty megabytes of messages.
fn history() -> String {
    let line = |number: u32| {
        let (minute, second) = (number / 60 % 60, number % 60);
        let time = format!("2020-01-{:02}T10:{minute:02}:{second:02}Z", 1 + number / 3_600);
        let text = format!("number {number} {}", "drip ".repeat(980));
        json!({"time": time, "author": {"username": "anna"}, "text": text}).to_string()
    };
    (0..4_000).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_room_with_a_limit_leaves_the_disk_near_that_limit() {
    let desk = Desk::with(&[("old.jsonl", &history())]);
    let data = desk.path().join("linnet-data");
    let parts = || ["journal", "index"].map(|part| taken(&data.join(part)));
    let process = Process::start(&desk, "");
    let ran = desk.run("import old.jsonl --room general");
    assert_eq!((ran.code, ran.out.as_str()), (0, "4000 messages taken, 0 were there already, 0 refused\n"));
    assert_eq!(desk.run("room retention general --megabytes 1").code, 0);
    let [journal, index] = parts();
    assert!(journal > 19 * MEGABYTE, "{journal}");
    let given: Value = serde_json::from_str(&desk.run("compact --json").out).unwrap();
    let [after, index_after] = parts();
    assert!(sealed(&data) < MEGABYTE * 3 / 2, "{journal} became {after}: {given}");
    assert!(after * 19 < journal * 10, "{journal} became {after}: {given}");
    assert!(given["bytes"].as_u64().unwrap() + 3 * MEGABYTE > journal, "{journal}: {given}");
    // The database lays out a few segments however little it holds.
    assert!(index_after < index + 3 * MEGABYTE, "{index} became {index_after}");
    let status: Value = serde_json::from_str(&desk.run("status --json").out).unwrap();
    let said = status["vitals"]["journal_bytes"].as_u64().unwrap_or_else(|| panic!("{status}"));
    assert!((MEGABYTE / 2..MEGABYTE * 3 / 2).contains(&said), "{said} of {after}");
    assert_eq!(process.stop(), 0);
    assert!(sealed(&data) < MEGABYTE * 3 / 2);
    assert_eq!(desk.run("check").code, 0);
    let shown = desk.run("tail general").out;
    assert!(shown.contains("number 3999"), "{shown}");
}
