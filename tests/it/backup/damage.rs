//! Backups that are cut, flipped, swapped or forged; and what can still be had of them.

use super::{OPTIONS, backup, frames, peopled, restored, says};
use crate::harness::life::words;
use linnet::chat::room::Room;
use linnet::store::backup::{BackupError, Mode, Source};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::journal;
use std::sync::Arc;

/// The length of the two heads.
const HEADS: usize = 2 * 4096;

fn refused(bytes: &[u8]) -> BackupError {
    match restored(bytes, Mode::Whole) {
        Err(error) => error,
        Ok((outcome, _)) => panic!("it passed for whole: {outcome:?}"),
    }
}

#[test]
fn a_backup_cut_anywhere_is_refused() {
    let (life, _) = peopled();
    let bytes = backup(&life.parts.reading);
    for length in 0..bytes.len() {
        // Between the heads lie zeros only: some of those cuts stand for all.
        if length % 61 != 0 && (100..4_000).contains(&(length % 4_096)) && length < HEADS {
            continue;
        }
        let error = refused(&bytes[..length]);
        let cut = matches!(error, BackupError::Cut { at } if at <= length as u64);
        assert!(cut || (length < 36 && matches!(error, BackupError::NotABackup)), "cut at {length}: {error}");
    }
    assert!(matches!(refused(&[&bytes[..], b"x"].concat()), BackupError::Followed { .. }));
    assert!(matches!(refused(&[&bytes[..], &bytes[..]].concat()), BackupError::Followed { .. }));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (life, _) = peopled();
    let whole = backup(&life.parts.reading);
    for at in (0..whole.len()).filter(|at| *at >= HEADS || at % 4_096 < 120 || at % 37 == 0) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes);
    }
}

#[test]
fn what_can_be_read_of_a_damaged_backup_is_salvaged_and_the_rest_is_counted() {
    let (mut life, alice) = peopled();
    for number in 0..60 {
        let text = format!("{number}{}", "x".repeat(4_900));
        life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
    }
    let whole = backup(&life.parts.reading);
    let all = frames(&life.disk);
    let middle = HEADS + 100_000;
    let mut holed = whole.clone();
    holed[middle] ^= 1;
    refused(&holed);
    let (outcome, disk) = restored(&holed, Mode::Salvage).unwrap();
    assert_eq!(outcome.gaps, 1, "{outcome:?}");
    let gap = outcome.listed[0];
    assert!((gap.from..gap.to).contains(&(middle as u64)));
    let lost = outcome.missing.unwrap();
    assert!(lost > 0 && lost < 30, "one chunk of them: {lost}");
    let found = frames(&disk);
    assert_eq!(found.len() as u64 + lost, all.len() as u64);
    assert!(found.iter().all(|frame| all.contains(frame)), "nothing came that was not there");
    // Without its end, nobody can tell what was in it.
    let (outcome, disk) = restored(&whole[..middle], Mode::Salvage).unwrap();
    assert_eq!(outcome.missing, None);
    assert!(!outcome.is_whole() && frames(&disk)[..] == all[..outcome.read.changes as usize]);
    // The second head stands for the first.
    let mut headless = whole.clone();
    headless[..4_096].fill(0);
    let (outcome, _) = restored(&headless, Mode::Salvage).unwrap();
    assert_eq!((outcome.read.changes, outcome.missing), (all.len() as u64, Some(0)));
}

#[test]
fn a_message_that_looks_like_a_part_of_a_backup_fools_nobody() {
    let (mut life, alice) = peopled();
    // A head and a chunk as they lie in another backup of the same node, inside what its client attached.
    let other = backup(&life.parts.reading);
    let extra = linnet::chat::name::Opaque::parse(&other[HEADS - 4_096..HEADS + 2_000]).unwrap();
    let draft = linnet::chat::message::Draft { extra: Some(extra), ..words("look at this") };
    life.call(|n| n.post_message(&alice, &Room::GENERAL, draft)).unwrap();
    let mut bytes = backup(&life.parts.reading);
    assert!(restored(&bytes, Mode::Whole).unwrap().0.is_whole());
    // The frame around it is damaged, so that its inside is searched.
    bytes[HEADS + 4] ^= 0xff;
    let (outcome, disk) = restored(&bytes, Mode::Salvage).unwrap();
    assert_eq!(frames(&disk).len(), 0, "{outcome:?}");
    bytes[..HEADS].fill(0);
    assert!(matches!(restored(&bytes, Mode::Salvage), Err(BackupError::NotABackup)));
}

#[test]
fn damage_of_the_journal_is_passed_over_and_named_in_the_backup() {
    let (mut life, alice) = peopled();
    for number in 0..10 {
        let text = format!("{number}{}", "x".repeat(4_900));
        life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
    }
    let segment = format!("journal/{:020}.seg", 0);
    let file = life.disk.open(&segment).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, 8_000).unwrap();
    file.write_at(&[!byte[0]], 8_000).unwrap();
    let (outcome, disk) = restored(&backup(&life.parts.reading), Mode::Whole).unwrap();
    assert_eq!((outcome.read.damaged, outcome.read.damage.len()), (1, 1));
    let damage = outcome.read.damage[0];
    assert!((damage.from.0..damage.to.0).contains(&8_000), "{damage}");
    let reader = journal::open(Arc::new(life.disk.crash()), OPTIONS, None).unwrap().reader;
    let readable = reader.scan(journal::Pos(0), reader.end()).filter(Result::is_ok).count();
    assert_eq!(frames(&disk).len(), readable);
    assert!(says(&disk, &format!("9{}", "x".repeat(4_900))), "what came after the damage is there");
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    for other in [&b""[..], b"PK\x03\x04 something else", &[0; 10_000]] {
        assert!(matches!(Source::open(other, Mode::Whole), Err(BackupError::NotABackup)));
        assert!(matches!(Source::open(other, Mode::Salvage), Err(BackupError::NotABackup)));
    }
    let disk = SimDisk::new(5);
    assert!(restored(b"no", Mode::Whole).is_err() && disk.list("").unwrap().is_empty());
}
