//! Rot: flipped bits, zeroed and overwritten blocks, cut and missing files, at random places.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use linnet::base::limits::JOURNAL_READ_BYTES;
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::journal::{self, Options, Pos, Why};

use super::{Chance, OPTIONS, Written, fill, open, read_all, segment_paths, write};

const GROUPS: usize = 40;
const SEGMENT_HEADER_BYTES: u64 = 4096 + 512;

/// Spoils one thing and says which places of the journal are no more what they were.
fn spoil(disk: &SimDisk, chance: &mut Chance) -> Range<u64> {
    let paths = segment_paths(disk);
    let path = &paths[chance.below(paths.len() as u64) as usize];
    let base: u64 = path[8..28].parse().expect("a segment is named by a number");
    let file = disk.open(path).expect("it is there");
    let length = file.len().expect("the disk works");
    let at = chance.below(length);
    let count = 1 + chance.below(4_000.min(length - at));
    let bytes = match chance.below(5) {
        0 => {
            let mut byte = [0];
            file.read_at(&mut byte, at).expect("the disk works");
            vec![byte[0] ^ (1 << chance.below(8))]
        }
        1 => vec![0; count as usize],
        2 => chance.bytes(count as usize),
        3 => {
            file.truncate(at).expect("the disk works");
            return base + at..base + length;
        }
        // Where the oldest segment is missing, the journal begins later: that is what retention does.
        _ if base == 0 => return 0..0,
        _ => {
            disk.remove(path).expect("it is there");
            return base..base + length;
        }
    };
    let before = {
        let mut before = vec![0; bytes.len()];
        file.read_at(&mut before, at).expect("the disk works");
        before
    };
    file.write_at(&bytes, at).expect("the disk works");
    // Only what really changed counts.
    let changed = |(old, new): (&u8, &u8)| old != new;
    let first = before.iter().zip(&bytes).position(changed);
    let last = before.iter().zip(&bytes).rposition(changed);
    first.zip(last).map_or(0..0, |(first, last)| base + at + first as u64..base + at + last as u64 + 1)
}

fn starts_of(groups: &[Written]) -> Vec<u64> {
    groups.iter().map(|group| group.places[0].0 - 28).collect()
}

fn survive(seed: u64) {
    let mut chance = Chance(seed);
    let disk = SimDisk::new(seed);
    let groups = fill(&disk, &mut chance, GROUPS);
    let spoilt = spoil(&disk, &mut chance);
    let starts = starts_of(&groups);
    let hit = |index: usize| starts[index] < spoilt.end && spoilt.start < groups[index].end.0;
    let last_whole = (0..GROUPS).rev().find(|index| !hit(*index));

    let mut opened = open(&disk, None).expect("rot is no reason not to start");
    let (frames, _) = read_all(&opened.reader);
    let whole: Vec<_> = (0..GROUPS).filter(|index| !hit(*index)).collect();
    let expected = whole.iter().flat_map(|index| {
        groups[*index].places.iter().copied().zip(groups[*index].said.clone()).collect::<Vec<_>>()
    });
    assert!(frames.iter().cloned().eq(expected), "whole groups are read, and no others");
    for (index, group) in groups.iter().enumerate() {
        let covered = opened
            .report
            .damage
            .iter()
            .any(|damage| damage.from.0 <= starts[index] && groups[index].end <= damage.to);
        if hit(index) && last_whole.is_some_and(|last| index < last) {
            assert!(covered, "group {index} is gone and not reported: {:?}", opened.report);
        }
        for (place, (seq, payload)) in group.places.iter().zip(&group.said) {
            match opened.reader.frame(*place) {
                Ok(frame) => assert!(frame.seq == *seq && frame.payload[..] == payload[..], "wrong bytes"),
                Err(_) => assert!(hit(index), "group {index} cannot be read: {spoilt:?}"),
            }
        }
    }
    // A caller that had seen all of it hears when the end is gone.
    let end = groups[GROUPS - 1].end;
    let cut_short = opened.report.end < end;
    let (written, result) = write(&mut opened.appender, &mut opened.writer, chance.said(1_000));
    result.expect("the journal goes on");
    let mut frames = frames;
    frames.extend(written.places.into_iter().zip(written.said));
    let opened = open(&disk, (!cut_short).then_some(end)).expect("it goes on");
    assert!(read_all(&opened.reader).0 == frames, "what is written behind damage is read");
}

#[test]
fn rot_never_panics_never_gives_wrong_bytes_and_is_reported() {
    for seed in 0..300 {
        catch_unwind(AssertUnwindSafe(|| survive(seed))).unwrap_or_else(|_| panic!("SEED={seed}"));
    }
}

#[test]
fn a_missing_segment_in_the_middle_is_reported_and_the_rest_is_read() {
    let disk = SimDisk::new(1);
    let groups = fill(&disk, &mut Chance(1), GROUPS);
    let segments = open(&disk, None).expect("the disk works").reader.segments();
    disk.remove(&segment_paths(&disk)[1]).expect("it is there");
    let opened = open(&disk, None).expect("the rest is there");
    let missing = journal::Damage { from: segments[1].from, to: segments[1].to, why: Why::Missing };
    assert_eq!(opened.report.damage, [missing]);
    let lost =
        groups.iter().filter(|group| segments[1].from < group.end && group.end <= segments[1].to).count();
    assert!(lost > 0);
    assert_eq!(opened.report.groups as usize, GROUPS - lost);
    assert_eq!(read_all(&opened.reader).1, [missing]);
}

#[test]
fn a_journal_that_ends_before_what_the_caller_has_seen_is_cut_short() {
    let disk = SimDisk::new(2);
    let groups = fill(&disk, &mut Chance(2), GROUPS);
    let end = groups[GROUPS - 1].end;
    let newest = segment_paths(&disk).pop().expect("segments were made");
    let file = disk.open(&newest).expect("it is there");
    let base: u64 = newest[8..28].parse().expect("a segment is named by a number");
    // The last bytes are zeros, as on a card that said "synced" and was not.
    let start = starts_of(&groups)[GROUPS - 1];
    file.write_at(&vec![0; (end.0 - start) as usize], start - base).expect("the disk works");
    let opened = open(&disk, Some(end)).expect("the rest is there");
    let expected = groups[GROUPS - 2].end.0.max(base + SEGMENT_HEADER_BYTES);
    assert_eq!(opened.report.end, Pos(expected));
    let cut = journal::Damage { from: Pos(expected), to: end, why: Why::CutShort };
    assert_eq!(opened.report.damage, [cut]);
    let empty = open(&SimDisk::new(3), Some(end)).expect("an empty disk is a new journal");
    assert_eq!(empty.report.damage, [journal::Damage { from: Pos(0), to: end, why: Why::CutShort }]);
}

#[test]
fn a_half_created_segment_is_made_again() {
    for header in [&[][..], &[0; 9_000], b"linnetJ\n\x01"] {
        let disk = SimDisk::new(4);
        let groups = fill(&disk, &mut Chance(4), GROUPS);
        let end = groups[GROUPS - 1].end;
        let path = format!("{}/{:020}.seg", journal::FOLDER, end.0);
        let file = disk.create(&path).expect("the name is free");
        file.write_at(header, 0).expect("the disk works");
        let mut opened = open(&disk, None).expect("the rest is there");
        assert_eq!((opened.report.end, &opened.report.damage[..]), (end, &[][..]));
        assert!(!segment_paths(&disk).contains(&path));
        let (_, result) = write(&mut opened.appender, &mut opened.writer, vec![(9_999, vec![1; 10])]);
        result.expect("the journal goes on");
    }
}

#[test]
fn a_half_created_segment_that_was_removed_does_not_come_back() {
    let roomy = Options { segment_bytes: 1024 * 1024, ..OPTIONS };
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let groups = fill(&disk, &mut Chance(4), GROUPS);
        disk.create(&format!("{}/{:020}.seg", journal::FOLDER, groups[GROUPS - 1].end.0))
            .expect("it is free");
        // More room than before: the journal goes on in the segment before, over the place of the removed one.
        let mut opened = journal::open(Arc::new(disk.clone()), roomy, None).expect("the disk works");
        write(&mut opened.appender, &mut opened.writer, vec![(9_999, vec![1; 10])])
            .1
            .expect("the disk works");
        let opened = journal::open(Arc::new(disk.crash()), roomy, None).expect("the disk works");
        let found = (&opened.report.damage[..], opened.report.last_seq);
        assert_eq!(found, (&[][..], Some(9_999)), "SEED={seed}");
    }
}

#[test]
fn a_lost_header_of_the_newest_segment_is_reported_once_and_written_again() {
    let disk = SimDisk::new(5);
    let groups = fill(&disk, &mut Chance(5), GROUPS);
    let newest = segment_paths(&disk).pop().expect("segments were made");
    let base: u64 = newest[8..28].parse().expect("a segment is named by a number");
    assert!(groups[GROUPS - 1].end.0 > base + SEGMENT_HEADER_BYTES, "the newest segment holds groups");
    disk.open(&newest).and_then(|file| file.write_at(&[0; 4_200], 0)).expect("the disk works");
    let lost = journal::Damage { from: Pos(base), to: Pos(base + SEGMENT_HEADER_BYTES), why: Why::BadHeader };
    for expected in [&[lost][..], &[]] {
        let opened = open(&disk, None).expect("the rest is there");
        assert_eq!((&opened.report.damage[..], opened.report.groups), (expected, GROUPS as u64));
    }
}

#[test]
fn a_file_with_a_name_inside_a_segment_is_reported_and_never_read() {
    for offset in [1, 28, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 100] {
        let disk = SimDisk::new(6);
        let groups = fill(&disk, &mut Chance(6), GROUPS);
        let inside = open(&disk, None).expect("the disk works").reader.segments()[1].from.0 + offset;
        let stray = disk.create(&format!("{}/{inside:020}.seg", journal::FOLDER)).expect("the name is free");
        stray.write_at(&Chance(6).bytes(9_000), 0).expect("the disk works");
        let opened = open(&disk, None).expect("the rest is there");
        assert!(opened.report.damage.iter().all(|damage| damage.from < damage.to), "{:?}", opened.report);
        assert!(opened.report.damage.iter().any(|damage| damage.why == Why::BadHeader));
        let said: Vec<_> = groups.iter().flat_map(|group| group.said.clone()).collect();
        assert!(read_all(&opened.reader).0.iter().all(|(_, found)| said.contains(found)));
        assert_eq!(opened.report.end, groups[GROUPS - 1].end);
    }
}

#[test]
fn a_group_is_found_wherever_the_reading_breaks() {
    let roomy = Options { segment_bytes: 1024 * 1024, ..OPTIONS };
    for beyond in 0..6 {
        let disk = SimDisk::new(beyond);
        let mut opened = journal::open(Arc::new(disk.clone()), roomy, None).expect("the disk works");
        // The second group begins around the end of the first stretch that is read.
        let long = JOURNAL_READ_BYTES - 28 - 16 - 4 - beyond as usize;
        for (seq, count) in [(1, long), (2, 10), (3, 10)] {
            write(&mut opened.appender, &mut opened.writer, vec![(seq, vec![1; count])]).1.expect("it works");
        }
        let file = disk.open(&segment_paths(&disk)[0]).expect("it is there");
        file.write_at(&[0; 28], SEGMENT_HEADER_BYTES).expect("the disk works");
        let opened = journal::open(Arc::new(disk), roomy, None).expect("the rest is there");
        assert_eq!((opened.report.groups, opened.report.last_seq), (2, Some(3)), "{beyond} bytes before");
    }
}

#[test]
fn numbers_that_do_not_rise_are_damage() {
    let (old, new) = (SimDisk::new(5), SimDisk::new(6));
    let long = vec![3; 500];
    // The same places and the same salt, but the second journal counts from further on.
    for (disk, from) in [(&old, 1), (&new, 100)] {
        let mut opened = open(disk, None).expect("the disk works");
        for seq in from..from + 3 {
            write(&mut opened.appender, &mut opened.writer, vec![(seq, long.clone())])
                .1
                .expect("the disk works");
        }
    }
    // The middle group of the new one comes from the old one.
    let group = 28 + 16 + long.len() + 4;
    let mut bytes = vec![0; group];
    let place = SEGMENT_HEADER_BYTES + group as u64;
    let path = segment_paths(&old).remove(0);
    old.open(&path).and_then(|file| file.read_at(&mut bytes, place)).expect("the disk works");
    new.open(&path).and_then(|file| file.write_at(&bytes, place)).expect("the disk works");
    let opened = open(&new, None).expect("the rest is there");
    let damage = journal::Damage { from: Pos(place), to: Pos(place + group as u64), why: Why::OldSequence };
    assert_eq!((&opened.report.damage[..], opened.report.groups), (&[damage][..], 2));
    let seqs: Vec<u64> = read_all(&opened.reader).0.into_iter().map(|(_, said)| said.0).collect();
    assert_eq!(seqs, [100, 102]);
}

#[test]
fn a_message_that_looks_like_a_group_is_never_taken_for_one() {
    assert_eq!(seqs_after_forgery(1), [6]);
    assert_eq!(seqs_after_forgery(OPTIONS.salt), [2, 6], "the salt is what holds her off");
}

fn seqs_after_forgery(salt: u64) -> Vec<u64> {
    // Mallory keeps a journal of her own at the same places, and sends its bytes as a message.
    let forged = SimDisk::new(7);
    let options = Options { salt, ..OPTIONS };
    let mut opened = journal::open(Arc::new(forged.clone()), options, None).expect("the disk works");
    for seq in 1..=2 {
        let forged = write(&mut opened.appender, &mut opened.writer, vec![(seq, vec![0xff; 60])]);
        forged.1.expect("the disk works");
    }
    let mut bytes = vec![0; 200];
    let path = segment_paths(&forged).remove(0);
    let forged = forged.open(&path).expect("it is there");
    forged.read_at(&mut bytes, SEGMENT_HEADER_BYTES + 44).expect("the disk works");

    let disk = SimDisk::new(8);
    let mut opened = open(&disk, None).expect("the disk works");
    for said in [(5, bytes), (6, b"later".to_vec())] {
        write(&mut opened.appender, &mut opened.writer, vec![said]).1.expect("the disk works");
    }
    // The header of the group that holds the message rots, so the next group is looked for inside the message.
    let file = disk.open(&segment_paths(&disk)[0]).expect("it is there");
    file.write_at(&[0; 28], SEGMENT_HEADER_BYTES).expect("the disk works");
    let opened = open(&disk, None).expect("the rest is there");
    assert!(!opened.report.damage.is_empty());
    read_all(&opened.reader).0.into_iter().map(|(_, said)| said.0).collect()
}

#[test]
fn a_journal_whose_every_header_is_lost_is_left_as_it_is_and_goes_on_behind() {
    let disk = SimDisk::new(9);
    let mut opened = open(&disk, None).expect("the disk works");
    write(&mut opened.appender, &mut opened.writer, vec![(1, vec![1; 100])]).1.expect("the disk works");
    let path = segment_paths(&disk).remove(0);
    let file = disk.open(&path).expect("it is there");
    file.write_at(&[0; 4_200], 0).expect("the disk works");
    let other = Options { salt: 2, ..OPTIONS };
    let mut opened = journal::open(Arc::new(disk.clone()), other, None).expect("it starts");
    assert!(!opened.report.damage.is_empty());
    let (written, result) = write(&mut opened.appender, &mut opened.writer, vec![(7, vec![7; 10])]);
    result.expect("the journal goes on");
    let mut kept = [0];
    file.read_at(&mut kept, SEGMENT_HEADER_BYTES + 44).expect("the disk works");
    assert_eq!(kept, [1], "the old bytes are left for a person to look at");
    let opened = open(&disk, None).expect("it starts");
    assert_eq!(read_all(&opened.reader).0, [(written.places[0], written.said[0].clone())]);
}
