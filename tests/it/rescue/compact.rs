//! An index that takes much more room than it needs is copied into a fresh one when a node starts.

use super::damage::{Home, copy};
use crate::program::Desk;
use linnet::base::limits::{INDEX_BATCH_WRITES, INDEX_COMPACT_BYTES_MIN};
use linnet::store::index::kv::{Kv, Shelf, Write};
use linnet::store::index::sled::SledKv;
use linnet::store::rescue::Found;
use serde_json::Value;
use std::fs;
use std::path::Path;

const ALL: (&[u8], &[u8]) = (&[0], &[0xFF]);

fn bytes(data: &Path) -> u64 {
    fs::metadata(data.join("index/db")).unwrap().len()
}

fn names(data: &Path) -> Vec<String> {
    let names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("index.") || name == "index").collect();
    names.sort();
    names
}

/// A folder with a history, whose index was written over until it is so large, and stays so when it is opened.
fn blown_up(data: &Path, wanted: u64) {
    let mut home = Home::open(data).unwrap();
    home.live(0, 30);
    home.checkpoint();
    drop(home);
    let mut more = wanted;
    while bytes(data) < wanted {
        write_over(data, more);
        settle(data);
        more += wanted / 8;
    }
}

/// The database cuts free room off the end of its file when it is opened: how much, only that tells.
fn settle(data: &Path) {
    let mut before = 0;
    while bytes(data) != before {
        before = bytes(data);
        opened(data).close(&data.join("index")).unwrap();
    }
}

fn opened(data: &Path) -> SledKv {
    // The database lets go of its files some time after it was dropped.
    let attempt = |_| SledKv::open(&data.join("index")).ok();
    (0..100_000).find_map(attempt).unwrap()
}

/// Writes keys that are there for a while and go again: what they took is not given back by the database, but for the
/// end of its file.
fn write_over(data: &Path, wanted: u64) {
    let kv = opened(data);
    let entries = kv.scan(ALL.0, ALL.1, 1_000_000).unwrap();
    let passing = |number: u32| {
        let key = [&[0xB0][..], &number.to_be_bytes()].concat();
        let value: Vec<u8> = (0..2_000u32).map(|at| (at.wrapping_mul(number) >> 3) as u8).collect();
        (key, value)
    };
    let mut number = 0;
    while kv.bytes_on_disk() < wanted {
        let batch: Vec<Write> = (number..number + INDEX_BATCH_WRITES as u32)
            .map(|number| {
                let (key, value) = passing(number);
                (key.into(), Some(value.into()))
            })
            .collect();
        kv.write(&batch).unwrap();
        number += INDEX_BATCH_WRITES as u32;
    }
    for from in (0..number).step_by(INDEX_BATCH_WRITES) {
        let batch = from..from + INDEX_BATCH_WRITES as u32;
        let batch: Vec<Write> = batch.map(|number| (passing(number).0.into(), None)).collect();
        kv.write(&batch).unwrap();
    }
    kv.sync().unwrap();
    assert_eq!(kv.scan(ALL.0, ALL.1, 1_000_000).unwrap(), entries);
    kv.close(&data.join("index")).unwrap();
}

fn is_compacted(home: &Home) -> bool {
    home.found.iter().any(|found| matches!(found, Found::Compacted(_)))
}

/// Closes it so that the folder can be taken by somebody else.
fn close(home: Home, data: &Path) {
    drop(home);
    opened(data).close(&data.join("index")).unwrap();
}

#[test]
fn an_index_far_larger_than_what_it_holds_shrinks_and_says_the_same() {
    let temp = tempfile::tempdir().unwrap();
    let (data, same) = (temp.path().join("data"), temp.path().join("same"));
    blown_up(&data, INDEX_COMPACT_BYTES_MIN + 1);
    copy(&data, &same);
    // Without a word on how far it got last time: the index is as it was, too large.
    fs::create_dir(same.join("index.new")).unwrap();
    let former = Home::open(&same).unwrap();
    assert!(!is_compacted(&former), "one that was cut short is not tried again at once");
    let before = bytes(&data);
    let home = Home::open(&data).unwrap();
    assert!(is_compacted(&home), "{:?}", home.found);
    assert_eq!(home.found.len(), 1, "{:?}", home.found);
    assert!(bytes(&data) < before / 4, "{before} {}", bytes(&data));
    assert!(home.said().unwrap() == former.said().unwrap(), "the index says something else");
    assert_eq!(names(&data), ["index"]);
    close(home, &data);
    let mut home = Home::open(&data).unwrap();
    assert_eq!(home.found, [], "once is enough, and the witness agrees");
    home.live(30, 35);
    home.checkpoint();
}

#[test]
fn an_index_of_ordinary_size_is_left_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path();
    blown_up(data, INDEX_COMPACT_BYTES_MIN / 2);
    let before = bytes(data);
    assert!(before <= INDEX_COMPACT_BYTES_MIN);
    let home = Home::open(data).unwrap();
    assert_eq!(home.found, []);
    // The database itself cuts what it never used off the end of its file; a compaction leaves far less than that.
    assert!(bytes(data) >= before / 4, "{before} {}", bytes(data));
    assert!(!data.join("index-compacted").exists(), "it was not even looked through");
}

#[test]
fn a_compaction_that_is_cut_short_anywhere_leaves_a_node_that_starts() {
    let temp = tempfile::tempdir().unwrap();
    let [whole, small, data] = ["whole", "small", "data"].map(|name| temp.path().join(name));
    blown_up(&whole, INDEX_COMPACT_BYTES_MIN + 1);
    copy(&whole, &small);
    let home = Home::open(&small).unwrap();
    let said = home.said().unwrap();
    close(home, &small);
    type Cut<'a> = &'a dyn Fn();
    let new = || copy(&small.join("index"), &data.join("index.new"));
    let aside = || fs::rename(data.join("index"), data.join("index.old")).unwrap();
    let switched = || {
        aside();
        copy(&small.join("index"), &data.join("index"));
    };
    let cuts: [(&str, bool, Cut<'_>); 6] = [
        ("the copy has begun", false, &|| fs::create_dir(data.join("index.new")).unwrap()),
        ("half of the copy is there", false, &|| {
            new();
            let log = fs::File::options().write(true).open(data.join("index.new/db")).unwrap();
            log.set_len(bytes(&small) / 2).unwrap();
        }),
        ("the copy is whole", false, &new),
        ("the old one is aside", false, &|| {
            new();
            aside();
        }),
        ("the new one has its name", true, &switched),
        ("the old one is half gone", true, &|| {
            switched();
            fs::remove_file(data.join("index.old/db")).unwrap();
        }),
    ];
    for (what, is_small, cut) in cuts {
        copy(&whole, &data);
        cut();
        let home = Home::open(&data).unwrap();
        assert_eq!(home.found, [], "{what}");
        assert!(home.said().unwrap() == said, "{what}");
        assert_eq!(names(&data), ["index"], "{what}");
        assert_eq!(bytes(&data) < INDEX_COMPACT_BYTES_MIN, is_small, "{what}");
        close(home, &data);
        // The next start does what this one left.
        let home = Home::open(&data).unwrap();
        assert_eq!(is_compacted(&home), !is_small, "{what}");
        // Each start counts itself; the keys are the same.
        assert!(home.said().unwrap().keys().eq(said.keys()), "{what}");
        close(home, &data);
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn the_command_gives_the_room_of_the_index_back() {
    let desk = Desk::with(&[]);
    let data = desk.path().join("linnet-data");
    blown_up(&data, INDEX_COMPACT_BYTES_MIN + 1);
    let before = bytes(&data);
    // A check reads an index that was just about to get its name.
    fs::rename(data.join("index"), data.join("index.old")).unwrap();
    assert_eq!(desk.run("check").code, 0);
    assert_eq!(names(&data), ["index.old"], "a check changes nothing");
    let ran = desk.run("compact --json");
    let given: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    assert!(given["index_bytes"].as_u64() > Some(before / 2), "{given}");
    assert!(bytes(&data) < before / 2);
    assert_eq!(desk.run("check").code, 0);
    let ran = desk.run("tail room7");
    assert!(ran.out.contains("message 7 19"), "{}{}", ran.out, ran.err);
}
