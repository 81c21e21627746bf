//! The journal on a disk where nothing goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use linnet::base::limits::{JOURNAL_GROUP_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX};
use linnet::store::disk::{Disk, OsDisk, SimDisk};
use linnet::store::error::StoreError;
use linnet::store::journal::{self, Options, Pos};

use super::{Chance, OPTIONS, SEGMENT_BYTES, Written, fill, open, read_all, write};

fn frames_of(groups: &[Written]) -> Vec<(Pos, super::Said)> {
    let frames = |group: &Written| group.places.iter().copied().zip(group.said.clone()).collect::<Vec<_>>();
    groups.iter().flat_map(frames).collect()
}

#[test]
fn what_is_written_is_read_in_order_over_segments_and_after_reopening() {
    let disk = SimDisk::new(1);
    let groups = fill(&disk, &mut Chance(1), 60);
    for checked in [None, Some(groups[20].end), Some(groups[59].end)] {
        let opened = open(&disk, checked).expect("the disk works");
        let (frames, damage) = read_all(&opened.reader);
        assert_eq!(frames, frames_of(&groups));
        assert_eq!(damage, []);
        assert_eq!((&opened.report.damage[..], opened.report.torn_bytes), (&[][..], 0));
        assert_eq!(opened.report.end, groups[59].end);
        assert_eq!(opened.report.last_seq, groups[59].said.last().map(|said| said.0));
        let seen = checked.map_or(60, |checked| groups.iter().filter(|group| group.end > checked).count());
        assert_eq!(opened.report.groups, seen as u64);
        for (pos, (seq, payload)) in &frames {
            let frame = opened.reader.frame(*pos).expect("it was written");
            assert_eq!((frame.seq, &frame.payload[..]), (*seq, &payload[..]));
        }
        let segments = opened.reader.segments();
        assert!(segments.len() > 2, "several segments were filled");
        assert!(segments.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert!(
            segments
                .iter()
                .all(|one| one.to.0 - one.from.0 <= SEGMENT_BYTES + JOURNAL_GROUP_BYTES_MAX as u64)
        );
    }
}

#[test]
fn a_scan_begins_at_the_end_of_any_group_and_sees_nothing_after_its_limit() {
    let disk = SimDisk::new(2);
    let groups = fill(&disk, &mut Chance(2), 40);
    let reader = open(&disk, None).expect("the disk works").reader;
    for (from, upto) in [(0, 39), (0, 0), (3, 4), (7, 30), (12, 12)] {
        let mut scan = reader.scan(groups[from].end, groups[upto].end);
        let mut seqs = Vec::new();
        while let Some(item) = scan.next() {
            let (pos, frame) = item.expect("the disk works");
            seqs.push(frame.seq);
            let group = groups.iter().find(|group| group.end > pos).expect("a group holds the frame");
            assert_eq!(scan.group_end(), group.end);
            assert_eq!(scan.at_group_end(), group.places.last() == Some(&pos));
        }
        let expected: Vec<u64> = frames_of(&groups[from + 1..=upto]).iter().map(|(_, said)| said.0).collect();
        assert_eq!(seqs, expected);
    }
    // A limit inside a group leaves the group out.
    let inside = Pos(groups[5].end.0 - 1);
    let seen = reader.scan(groups[3].end, inside).map(|item| item.expect("the disk works").1.seq);
    assert_eq!(seen.last(), groups[4].said.last().map(|said| said.0));
}

#[test]
fn frames_of_a_refused_job_leave_no_trace() {
    let disk = SimDisk::new(3);
    let mut opened = open(&disk, None).expect("the disk works");
    let mut builder = opened.appender.begin();
    let empty = builder.mark();
    let first = builder.push(1, b"refused");
    builder.truncate(empty);
    assert_eq!((builder.frames(), builder.end()), (0, Pos(0)));
    assert_eq!(builder.push(1, b"kept"), first);
    let mark = builder.mark();
    let second = builder.push(2, b"refused too");
    builder.truncate(mark);
    assert_eq!(builder.push(2, b"kept too"), second);
    let group = opened.appender.finish(builder);
    opened.writer.write(&group).expect("the disk works");
    let (frames, _) = read_all(&opened.reader);
    assert_eq!(frames, [(first, (1, b"kept".to_vec())), (second, (2, b"kept too".to_vec()))]);
}

#[test]
fn an_empty_group_costs_nothing_and_moves_nothing() {
    let disk = SimDisk::new(4);
    let mut opened = open(&disk, None).expect("the disk works");
    let before = disk.counts();
    let builder = opened.appender.begin();
    let group = opened.appender.finish(builder);
    opened.writer.write(&group).expect("nothing is written");
    assert_eq!((disk.counts(), opened.appender.end()), (before, Pos(0)));
}

#[test]
fn a_group_costs_one_write_and_one_sync() {
    let disk = SimDisk::new(5);
    let mut opened = open(&disk, None).expect("the disk works");
    write(&mut opened.appender, &mut opened.writer, vec![(1, vec![1; 100])]).1.expect("the disk works");
    let before = disk.counts();
    write(&mut opened.appender, &mut opened.writer, vec![(2, vec![2; 100])]).1.expect("the disk works");
    let after = disk.counts();
    assert_eq!((after.writes - before.writes, after.syncs - before.syncs), (1, 1));
    assert_eq!(after.bytes - before.bytes, 28 + 16 + 100 + 4);
    let counts = opened.writer.counts();
    assert_eq!((counts.groups(), counts.frames(), counts.segments(), counts.syncs()), (2, 2, 1, 4));
}

#[test]
fn a_group_takes_payloads_up_to_its_maximum() {
    let disk = SimDisk::new(6);
    let mut opened = open(&disk, None).expect("the disk works");
    let mut builder = opened.appender.begin();
    assert!(!builder.fits(JOURNAL_PAYLOAD_BYTES_MAX + 1));
    let mut seq = 0;
    while builder.fits(JOURNAL_PAYLOAD_BYTES_MAX) {
        seq += 1;
        builder.push(seq, &[seq as u8; JOURNAL_PAYLOAD_BYTES_MAX]);
    }
    assert_eq!(seq, 3);
    let group = opened.appender.finish(builder);
    opened.writer.write(&group).expect("the disk works");
    let (frames, damage) = read_all(&open(&disk, None).expect("the disk works").reader);
    assert!(damage.is_empty());
    assert!(frames.iter().all(|(_, (seq, payload))| payload[..] == [*seq as u8; JOURNAL_PAYLOAD_BYTES_MAX]));
    assert_eq!(frames.len(), 3);
}

#[test]
fn the_real_disk_keeps_a_journal_and_takes_a_torn_tail_off_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk: Arc<dyn Disk> = Arc::new(OsDisk::new(folder.path().join("new/data")));
    let mut chance = Chance(7);
    let mut opened = journal::open(Arc::clone(&disk), OPTIONS, None).expect("the disk works");
    let mut groups: Vec<Written> = Vec::new();
    for _ in 0..30 {
        let after = groups.last().map_or(0, |group| group.said[group.said.len() - 1].0);
        let (written, result) = write(&mut opened.appender, &mut opened.writer, chance.said(after));
        result.expect("the disk works");
        groups.push(written);
    }
    let newest = opened.reader.segments().pop().expect("segments were made");
    let file = disk.open(&format!("journal/{:020}.seg", newest.from.0)).expect("it is there");
    file.write_at(b"torn", newest.to.0 - newest.from.0).expect("the disk works");
    for torn in [4, 0] {
        let opened = journal::open(Arc::clone(&disk), OPTIONS, None).expect("the disk works");
        assert_eq!((opened.report.torn_bytes, &opened.report.damage[..]), (torn, &[][..]));
        assert_eq!(read_all(&opened.reader).0, frames_of(&groups));
    }
    assert!(disk.create("../outside").is_err(), "nothing leaves the data folder");
}

#[test]
fn readers_follow_while_groups_are_formed_and_written_on_two_threads() {
    let disk = Arc::new(SimDisk::new(8));
    let opened = journal::open(disk, OPTIONS, None).expect("the disk works");
    let (mut appender, mut writer, reader) = (opened.appender, opened.writer, opened.reader);
    let (formed, waiting) = std::sync::mpsc::sync_channel(1);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for seq in 1..=300_u64 {
                let mut builder = appender.begin();
                builder.push(seq, &seq.to_le_bytes().repeat(40));
                formed.send(appender.finish(builder)).expect("the other thread waits");
            }
        });
        let done = &done;
        threads.spawn(move || {
            waiting.iter().for_each(|group| writer.write(&group).expect("the disk works"));
            done.store(true, Ordering::Release);
        });
        let (mut from, mut seen) = (Pos(0), 0_u64);
        loop {
            let over = done.load(Ordering::Acquire);
            let mut scan = reader.scan(from, reader.end());
            for item in scan.by_ref() {
                let (pos, frame) = item.expect("only whole groups are seen");
                seen += 1;
                assert_eq!((frame.seq, &frame.payload[..]), (seen, &seen.to_le_bytes().repeat(40)[..]));
                assert_eq!(reader.frame(pos).expect("it was just scanned"), frame);
            }
            from = scan.group_end();
            if over {
                break;
            }
        }
        assert_eq!(seen, 300);
    });
}

#[test]
fn nothing_is_read_where_no_frame_begins() {
    let disk = SimDisk::new(9);
    let groups = fill(&disk, &mut Chance(9), 10);
    let reader = open(&disk, None).expect("the disk works").reader;
    let places: Vec<Pos> = groups.iter().flat_map(|group| group.places.clone()).collect();
    for place in (0..groups[9].end.0 + 40).chain([u64::MAX]).map(Pos).filter(|pos| !places.contains(pos)) {
        let found = reader.frame(place);
        assert!(matches!(found, Err(StoreError::NoFrame { .. })), "at {place}: {found:?}");
    }
}

#[test]
fn a_journal_keeps_its_salt_whatever_is_asked_later() {
    let disk = SimDisk::new(10);
    let groups = fill(&disk, &mut Chance(10), 10);
    let other = Options { salt: 99, ..OPTIONS };
    let opened = journal::open(Arc::new(disk), other, None).expect("the disk works");
    assert_eq!(read_all(&opened.reader).0, frames_of(&groups));
}
