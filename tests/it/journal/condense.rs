//! Segments written anew: what is kept is read under its number, what is left out is gone from the disk, and no power
//! cut on the way loses or doubles anything.

use std::collections::BTreeMap;

use linnet::store::disk::{Disk, SimDisk};
use linnet::store::error::StoreError;
use linnet::store::journal::{self, Pos, Reader, Rewritten, Segment, Why};

use super::{Chance, Said, fill, open, read_all, segment_paths, write};

/// Starts of a life, each ended by a power cut.
const STARTS: usize = 5;

/// Every frame with its number: the payload, and whether it still matters.
#[derive(Default, Clone)]
struct Model {
    frames: BTreeMap<u64, (Vec<u8>, bool)>,
}

impl Model {
    fn takes(&mut self, said: Vec<Said>) {
        self.frames.extend(said.into_iter().map(|(seq, payload)| (seq, (payload, true))));
    }

    /// What is read holds everything that matters, unchanged and in order, and nothing that never was.
    fn check(&self, found: &[(Pos, Said)]) -> Result<(), String> {
        let mut matters = self.frames.iter().filter(|(_, (_, live))| *live).map(|(seq, _)| seq).peekable();
        let mut last = 0;
        for (_, (seq, payload)) in found {
            let known = self.frames.get(seq).is_some_and(|(known, _)| known == payload);
            if !known || *seq <= last {
                return Err(format!("frame {seq} after {last} was never written so"));
            }
            last = *seq;
            match matters.peek() {
                Some(next) if *next < seq => return Err(format!("frame {next} is lost")),
                Some(next) if *next == seq => drop(matters.next()),
                _ => {}
            }
        }
        matters.next().map_or(Ok(()), |next| Err(format!("frame {next} is lost")))
    }
}

/// A run of neighbouring segments without the newest.
fn some_run(reader: &Reader, chance: &mut Chance) -> Option<(Segment, Segment)> {
    let mut segments = reader.segments();
    segments.pop();
    let first = chance.below(segments.len().max(1) as u64) as usize;
    let count = chance.below(3) as usize;
    Some((*segments.get(first)?, *segments.get((first + count).min(segments.len() - 1))?))
}

/// Writes a run anew with the frames for which `keep` holds.
fn condense(
    reader: &Reader,
    from: Pos,
    until: Pos,
    keep: impl Fn(u64) -> bool,
) -> Result<Rewritten, StoreError> {
    let mut rewrite = reader.rewrite(from, until, 7)?;
    let mut scan = reader.scan(from, until);
    while let Some(found) = scan.next() {
        let (_, frame) = found?;
        if keep(frame.seq) {
            rewrite.push(frame.seq, &frame.payload)?;
        } else {
            rewrite.leave_out(frame.seq);
        }
        if scan.at_group_end() {
            rewrite.group_end()?;
        }
    }
    rewrite.finish()
}

fn raw_bytes(disk: &SimDisk) -> Vec<u8> {
    let mut all = Vec::new();
    for path in disk.list(journal::FOLDER).unwrap() {
        let file = disk.open(&format!("{}/{path}", journal::FOLDER)).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        all.extend(bytes);
    }
    all
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

/// From a start to the first error of the disk, or some quiet moment; writes, forgets and condenses.
fn run(chance: &mut Chance, model: &mut Model, disk: &SimDisk) -> Result<(), String> {
    let Ok(mut opened) = open(disk, None) else { return Ok(()) };
    if !opened.report.damage.is_empty() {
        return Err(format!("a power cut was taken for damage: {:?}", opened.report));
    }
    let (frames, damage) = read_all(&opened.reader);
    if !damage.is_empty() {
        return Err(format!("the scan met {damage:?}"));
    }
    // What was in flight when the power went is settled by what is found.
    if let Some((newest, _)) = frames.last().map(|(_, said)| said) {
        model.frames.retain(|seq, (_, live)| *live || seq <= newest);
    }
    model.frames.retain(|seq, (_, live)| *live || frames.iter().any(|(_, said)| said.0 == *seq));
    model.check(&frames)?;
    let mut last = opened.report.last_seq.unwrap_or(0);
    for _ in 0..20 {
        match chance.below(8) {
            0 | 1 => {
                let Some((first, end)) = some_run(&opened.reader, chance) else { continue };
                for (seq, (_, live)) in &mut model.frames {
                    *live &= *seq % 7 != 0 && chance.below(9) > 0;
                }
                let done = condense(&opened.reader, first.from, end.to, |seq| {
                    model.frames.get(&seq).is_some_and(|(_, live)| *live)
                });
                if done.is_ok() {
                    // What is gone stays gone.
                    let (left, _) = read_all(&opened.reader);
                    let is_left = |seq| left.iter().any(|(_, said)| said.0 == seq);
                    model.frames.retain(|seq, (_, live)| *live || is_left(*seq));
                }
            }
            2 => drop(opened.reader.remove_replaced()),
            _ => {
                let (written, result) = write(&mut opened.appender, &mut opened.writer, chance.said(last));
                last = written.said.last().map_or(last, |said| said.0);
                model.takes(written.said.clone());
                if result.is_err() {
                    for (seq, _) in written.said {
                        model.frames.entry(seq).and_modify(|frame| frame.1 = false);
                    }
                    return Ok(());
                }
            }
        }
        let (frames, damage) = read_all(&opened.reader);
        if !damage.is_empty() {
            return Err(format!("the scan met {damage:?}"));
        }
        model.check(&frames)?;
        for (pos, (seq, _)) in &frames {
            let frame = opened.reader.frame(*pos).map_err(|error| error.to_string())?;
            if frame.seq != *seq {
                return Err(format!("frame {seq} is not where the scan found it"));
            }
        }
    }
    Ok(())
}

#[test]
fn no_power_cut_loses_what_is_kept_or_brings_anything_twice() {
    for seed in 0..300 {
        let (mut chance, mut disk, mut model) = (Chance(seed), SimDisk::new(seed), Model::default());
        for start in 0..=STARTS {
            // The last start has no misfortune.
            if start < STARTS {
                disk.lose_power_at(1 + chance.below(60));
            }
            run(&mut chance, &mut model, &disk).unwrap_or_else(|what| panic!("SEED={seed}: {what}"));
            disk = disk.crash();
        }
    }
}

/// A disk with some segments, the reader of them, and the run of all but the newest.
fn filled(seed: u64) -> (SimDisk, Vec<super::Written>, Reader, Pos, Pos) {
    let disk = SimDisk::new(seed);
    let groups = fill(&disk, &mut Chance(seed), 60);
    let reader = open(&disk, None).unwrap().reader;
    let segments = reader.segments();
    let (from, until) = (segments[0].from, segments[segments.len() - 2].to);
    (disk, groups, reader, from, until)
}

#[test]
fn power_may_go_at_every_call_of_a_condense() {
    let calls = {
        let (disk, _, reader, from, until) = filled(3);
        let before = disk.counts().changes;
        condense(&reader, from, until, |seq| seq % 2 == 0).unwrap();
        reader.remove_replaced().unwrap();
        disk.counts().changes - before
    };
    assert!(calls > 8, "{calls} calls");
    for call in 1..=calls + 1 {
        let (disk, groups, reader, from, until) = filled(3);
        let all: Vec<Said> = groups.into_iter().flat_map(|group| group.said).collect();
        disk.lose_power_at(call);
        let done = condense(&reader, from, until, |seq| seq % 2 == 0).is_ok();
        let _ = done && reader.remove_replaced().is_ok();
        let disk = disk.crash();
        let opened = open(&disk, None).unwrap();
        assert_eq!(opened.report.damage, [], "call {call}");
        assert!(segment_paths(&disk).iter().all(|path| path.ends_with(".seg")), "call {call}");
        let (frames, damage) = read_all(&opened.reader);
        assert_eq!(damage, [], "call {call}");
        let found: Vec<Said> = frames.iter().map(|(_, said)| said.clone()).collect();
        let condensed = opened.reader.segments().iter().any(|segment| segment.generation > 0);
        assert!(condensed || !done, "call {call}: what was done is undone");
        let expected =
            |said: &&Said| !condensed || said.0.is_multiple_of(2) || said.0 > last_before(&frames, until);
        assert!(found.iter().eq(all.iter().filter(expected)), "call {call}");
        // Places of the former files answer as long as the files are there.
        for segment in opened.reader.replaced() {
            assert_eq!(segment.generation, 0);
        }
    }
}

/// The last number before a place.
fn last_before(frames: &[(Pos, Said)], until: Pos) -> u64 {
    frames.iter().rev().find(|(pos, _)| *pos < until).map_or(0, |(_, said)| said.0 + 1)
}

#[test]
fn what_is_left_out_is_gone_from_the_disk_and_old_places_read_until_then() {
    let (disk, groups, reader, from, until) = filled(5);
    let (secret, pos) = groups
        .iter()
        .flat_map(|group| group.said.iter().zip(&group.places))
        .find(|((_, payload), _)| payload.len() > 20)
        .map(|((seq, payload), pos)| ((*seq, payload.clone()), *pos))
        .expect("some payload is long");
    assert!(holds(&raw_bytes(&disk), &secret.1));
    let new = condense(&reader, from, until, |seq| seq != secret.0).unwrap();
    assert!(new.bytes < new.bytes_before);
    assert_eq!(&reader.frame(pos).unwrap().payload[..], &secret.1[..], "the old place still reads");
    assert!(reader.remove_replaced().unwrap() > 0);
    assert!(matches!(reader.frame(pos), Err(StoreError::NoFrame { .. })));
    assert!(!holds(&raw_bytes(&disk), &secret.1));
    let (frames, damage) = read_all(&open(&disk.crash(), None).unwrap().reader);
    assert_eq!(damage, []);
    assert!(frames.iter().all(|(_, said)| said.0 != secret.0));
}

#[test]
fn a_run_without_a_frame_becomes_a_header_and_merges_with_its_neighbour() {
    let (disk, groups, reader, from, until) = filled(6);
    let first = reader.segments()[0];
    condense(&reader, first.from, first.to, |_| false).unwrap();
    reader.remove_replaced().unwrap();
    let segments = reader.segments();
    assert_eq!((segments[0].bytes, segments[0].generation, segments[0].as_of), (4096 + 512, 1, 7));
    condense(&reader, from, until, |_| true).unwrap();
    reader.remove_replaced().unwrap();
    assert_eq!(segment_paths(&disk).len(), 2, "one file and the newest");
    let opened = open(&disk, None).unwrap();
    assert_eq!(opened.reader.segments()[0].generation, 2);
    let last = groups.last().unwrap().said.last().unwrap().0;
    assert_eq!(opened.report.last_seq, Some(last));
}

#[test]
fn a_number_is_not_given_again_although_its_frame_was_left_out() {
    let (disk, _, reader, from, until) = filled(7);
    let frames = read_all(&reader).0;
    let last = frames.iter().rev().find(|(pos, _)| *pos < until).unwrap().1.0;
    condense(&reader, from, until, |_| false).unwrap();
    reader.remove_replaced().unwrap();
    // The newest segment is lost too.
    disk.remove(&segment_paths(&disk).pop().unwrap()).unwrap();
    let mut opened = open(&disk, None).unwrap();
    assert_eq!((opened.report.last_seq, opened.report.end), (Some(last), until));
    let (_, result) = write(&mut opened.appender, &mut opened.writer, vec![(last + 1, b"on".to_vec())]);
    result.unwrap();
    let opened = open(&disk, Some(until)).unwrap();
    assert_eq!((opened.report.damage.clone(), opened.report.last_seq), (vec![], Some(last + 1)));
}

#[test]
fn who_reads_all_of_it_is_not_disturbed_and_who_did_not_say_so_hears_of_it() {
    let (_, _, reader, from, until) = filled(8);
    let expected = read_all(&reader).0.len();
    {
        let _pin = reader.pin();
        let scan = reader.scan(Pos(0), reader.end());
        let refused = condense(&reader, from, until, |_| false);
        assert!(matches!(refused, Err(StoreError::CannotCondense { .. })));
        assert_eq!(scan.filter(Result::is_ok).count(), expected);
    }
    let mut scan = reader.scan(Pos(0), reader.end());
    scan.next().unwrap().unwrap();
    condense(&reader, from, until, |_| true).unwrap();
    assert!(scan.any(|found| matches!(found, Err(StoreError::Condensed))));
    let _pin = reader.pin();
    assert!(reader.remove_replaced().is_err());
}

#[test]
fn a_condensed_segment_that_is_lost_or_spoilt_is_damage() {
    for spoilt in 0..3 {
        let (disk, _, reader, _, _) = filled(9);
        let segments = reader.segments();
        condense(&reader, segments[1].from, segments[1].to, |_| true).unwrap();
        reader.remove_replaced().unwrap();
        let path = segment_paths(&disk).into_iter().find(|path| path.contains(".00001.")).unwrap();
        let whys: &[Why] = match spoilt {
            0 => {
                disk.remove(&path).unwrap();
                &[Why::Missing]
            }
            1 => {
                disk.open(&path).unwrap().write_at(&[0; 5_000], 0).unwrap();
                &[Why::BadHeader]
            }
            _ => {
                let file = disk.open(&path).unwrap();
                file.truncate(file.len().unwrap() / 2).unwrap();
                &[Why::BadGroup, Why::Missing]
            }
        };
        let opened = open(&disk, None).unwrap();
        assert!(!opened.report.damage.is_empty(), "{spoilt}");
        assert!(opened.report.damage.iter().any(|damage| whys.contains(&damage.why)), "{:?}", opened.report);
        let newest = segments.last().unwrap().from;
        assert!(read_all(&opened.reader).0.iter().any(|(pos, _)| *pos > newest), "the rest is read");
    }
}

#[test]
fn a_repair_writes_one_segment_with_the_frames_it_has() {
    let (disk, _, reader, _, _) = filled(11);
    let segment = reader.segments()[1];
    let before = read_all(&reader).0;
    let inside = |pos: Pos| pos > segment.from && pos < segment.to;
    let frames = before.iter().filter(|(pos, _)| inside(*pos));
    let frames = frames.map(|(_, (seq, payload))| Ok((*seq, payload.clone().into())));
    reader.rewrite_with(segment.from, segment.to, frames).unwrap();
    reader.remove_replaced().unwrap();
    let opened = open(&disk.crash(), None).unwrap();
    assert_eq!(opened.report.damage, []);
    let said = |frames: Vec<(Pos, Said)>| frames.into_iter().map(|(_, said)| said).collect::<Vec<_>>();
    assert_eq!(said(read_all(&opened.reader).0), said(before));
    assert_eq!(opened.reader.segments()[1].as_of, 0, "nothing was decided about what may go");
}

#[test]
fn the_newest_segment_is_never_rewritten() {
    let (_, _, reader, from, _) = filled(10);
    let refused = reader.rewrite(from, reader.end(), 0);
    assert!(matches!(refused, Err(StoreError::CannotCondense { .. })));
    let odd = reader.rewrite(Pos(from.0 + 1), reader.segments()[0].to, 0);
    assert!(matches!(odd, Err(StoreError::CannotCondense { .. })));
}
