//! What a damaged journal lost comes back from a backup, on real folders and with the real program.

use super::damage::Home;
use crate::program::{Desk, Ran};
use linnet::store::disk::{OsDisk, StillDisk};
use linnet::store::journal::{self, Options, Pos};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub type Frames = BTreeMap<u64, Vec<u8>>;

pub fn data(desk: &Desk) -> PathBuf {
    desk.path().join("linnet-data")
}

/// Every Change that can be read; fails where one comes twice or out of order.
pub fn frames(desk: &Desk) -> Frames {
    let disk = StillDisk(Arc::new(OsDisk::new(data(desk))));
    let reader = journal::open(Arc::new(disk), Options::default(), None).unwrap().reader;
    let mut frames = Frames::new();
    for (_, frame) in reader.scan(Pos(0), reader.end()).flatten() {
        assert!(
            frames.last_key_value().is_none_or(|(last, _)| *last < frame.seq),
            "{} is not in order",
            frame.seq
        );
        frames.insert(frame.seq, frame.payload.to_vec());
    }
    frames
}

pub fn segments(desk: &Desk) -> Vec<PathBuf> {
    let entries = fs::read_dir(data(desk).join("journal")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub fn live(desk: &Desk, from: u64, upto: u64) {
    // The database lets go of its files on a thread of its own.
    let mut home = (0..10_000).find_map(|_| Home::open(&data(desk)).ok()).expect("it opens");
    home.live(from, upto);
    home.checkpoint();
}

/// A folder with a history of which a backup was taken after most of it.
pub fn backed_up() -> (Desk, Frames, u64) {
    let desk = Desk::with(&[]);
    live(&desk, 0, 110);
    let ran = desk.run("backup b.backup");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let last = *frames(&desk).last_key_value().unwrap().0;
    live(&desk, 110, 160);
    assert!(segments(&desk).len() >= 6, "{:?}", segments(&desk));
    let all = frames(&desk);
    (desk, all, last)
}

pub fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

pub fn said(ran: &Ran) -> String {
    format!("{} {}{}", ran.code, ran.out, ran.err)
}

/// Repairs, and finds everything of before as it was.
fn check_all_comes_back(desk: &Desk, all: &Frames, options: &str) {
    let lost = all.len() - frames(desk).len();
    assert!(lost > 0, "nothing was lost");
    let ran = desk.run(&format!("check --repair {options}"));
    assert_eq!(ran.code, 0, "{}", said(&ran));
    assert!(ran.out.contains(&format!("{lost} Changes that the journal had lost came back")), "{}", ran.out);
    let after = frames(desk);
    for (seq, payload) in all {
        assert_eq!(after.get(seq), Some(payload), "{seq}");
    }
    let ran = desk.run("check");
    assert_eq!(ran.code, 0, "{}", said(&ran));
    assert!(data(desk).join("quarantine-journal").read_dir().is_ok_and(|mut kept| kept.next().is_some()));
}

#[test]
fn a_zeroed_block_and_a_flipped_bit_are_filled_from_a_backup() {
    let (desk, all, _) = backed_up();
    damage(&segments(&desk)[0], |bytes| bytes[20_000..24_096].fill(0));
    damage(&segments(&desk)[0], |bytes| bytes[40_000] ^= 4);
    damage(&segments(&desk)[1], |bytes| bytes[0..12_000].fill(0));
    damage(&segments(&desk)[2], |bytes| bytes.truncate(30_000));
    let refused = desk.run("check --repair");
    assert!(refused.code == 1 && refused.out.contains("--backup"), "{}", said(&refused));
    check_all_comes_back(&desk, &all, "--backup b.backup");
}

#[test]
fn missing_segments_come_back_from_a_backup() {
    for which in [&[2][..], &[0], &[0, 1], &[1, 2]] {
        let (desk, all, _) = backed_up();
        let mut gone = Frames::new();
        for path in which.iter().map(|at| segments(&desk)[*at].clone()).collect::<Vec<_>>() {
            fs::remove_file(path).unwrap();
        }
        gone.append(&mut frames(&desk));
        let lost = all.len() - gone.len();
        let ran = desk.run("check --repair --backup b.backup");
        assert_eq!(ran.code, 0, "{which:?}: {}", said(&ran));
        assert!(ran.out.contains(&format!("{lost} Changes that")), "{}", ran.out);
        let after = frames(&desk);
        assert!(all.iter().all(|(seq, payload)| after.get(seq) == Some(payload)), "{which:?}");
        assert_eq!(desk.run("check").code, 0);
    }
}

#[test]
fn what_was_said_after_the_backup_is_told_as_lost() {
    let (desk, all, last) = backed_up();
    // The segment in which the backup ended, and those behind it but the newest.
    let segments = segments(&desk);
    let newest = segments.len() - 1;
    for path in &segments[2..newest] {
        fs::remove_file(path).unwrap();
    }
    let left = frames(&desk);
    let back = all.keys().filter(|seq| **seq <= last && !left.contains_key(seq)).count();
    let gone = all.keys().filter(|seq| **seq > last && !left.contains_key(seq)).count();
    assert!(back > 0 && gone > 0, "{back} {gone}");
    let ran = desk.run("check --repair --backup b.backup --json");
    assert_eq!(ran.code, 1, "{}", said(&ran));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["lost_count"], &report["lost"][0]["changes"]), (&1.into(), &gone.into()), "{report}");
    assert_eq!(report["findings_count"], 0, "{report}");
    let after = frames(&desk);
    assert!(after.iter().filter(|(seq, _)| all.contains_key(seq)).all(|(seq, payload)| all[seq] == *payload));
    assert_eq!(all.keys().filter(|seq| !after.contains_key(seq)).count(), gone);
}

#[test]
fn a_lost_end_comes_back_from_the_newest_backup_in_the_folder_that_has_it() {
    let (desk, _, _) = backed_up();
    fs::write(desk.path().join("linnet.toml"), "[backup]\nfolder = 'stick'\n").unwrap();
    let node = crate::harness::process::Process::start(&desk, "");
    drop(node);
    fs::create_dir(desk.path().join("stick")).unwrap();
    let ran = desk.run("backup whole.backup");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let all = frames(&desk);
    let file = fs::File::open(desk.path().join("whole.backup")).unwrap();
    let source = linnet::store::backup::Source::open(file, linnet::store::backup::Mode::Whole).unwrap();
    let folder =
        linnet::store::backup::folder::BackupFolder::new(desk.path().join("stick"), source.head().node);
    fs::copy(desk.path().join("whole.backup"), folder.place(source.head())).unwrap();
    // A newer one that was cut.
    let mut newer = source.head().clone();
    newer.last_seq += 9;
    fs::write(folder.place(&newer), "cut").unwrap();
    let segments = segments(&desk);
    for path in &segments[segments.len() - 2..] {
        fs::remove_file(path).unwrap();
    }
    // Nothing is damaged but what is left of the segment before, so that something is kept.
    damage(&segments[0], |bytes| bytes[20_000] ^= 1);
    check_all_comes_back(&desk, &all, "");
}

#[test]
fn a_backup_of_another_node_is_refused() {
    let (desk, _, _) = backed_up();
    let (other, _, _) = backed_up();
    fs::copy(other.path().join("b.backup"), desk.path().join("other.backup")).unwrap();
    damage(&segments(&desk)[0], |bytes| bytes[20_000..24_096].fill(0));
    let before = segments(&desk);
    let ran = desk.run("check --repair --backup other.backup");
    assert!(ran.code == 1 && ran.err.contains("another node's backup"), "{}", said(&ran));
    assert_eq!(segments(&desk), before);
    let ran = desk.run("check --repair --backup linnet-data/format");
    assert!(ran.code == 1 && ran.err.contains("no backup"), "{}", said(&ran));
}
