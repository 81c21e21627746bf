//! A disk that refuses one write or one sync: the writer stops, and the next start knows what is there.

use linnet::store::disk::SimDisk;
use linnet::store::error::StoreError;
use linnet::store::journal::Pos;

use super::{Chance, Said, open, read_all, write};

const GROUPS: usize = 30;

/// Writes until the disk refuses; what was acknowledged, and what was not.
fn write_until_refused(disk: &SimDisk, seed: u64) -> (Vec<Said>, Vec<Said>, Pos) {
    let Ok(mut opened) = open(disk, None) else { return Default::default() };
    let (mut chance, mut acknowledged, mut end) = (Chance(seed), Vec::<Said>::new(), Pos(0));
    for _ in 0..GROUPS {
        let after = acknowledged.last().map_or(0, |said| said.0);
        let (written, result) = write(&mut opened.appender, &mut opened.writer, chance.said(after));
        if result.is_err() {
            let after = written.said.last().map_or(0, |said| said.0);
            let (_, next) = write(&mut opened.appender, &mut opened.writer, chance.said(after));
            assert!(matches!(next, Err(StoreError::Stopped)), "SEED={seed}: a stopped writer wrote on");
            let seen = opened.reader.scan(Pos(0), Pos(u64::MAX)).count();
            let peeked = written.places.iter().filter(|place| opened.reader.frame(**place).is_ok()).count();
            assert_eq!((seen, peeked), (acknowledged.len(), 0), "readers see what was not acknowledged");
            return (acknowledged, written.said, end);
        }
        acknowledged.extend(written.said);
        end = written.end;
    }
    (acknowledged, Vec::new(), end)
}

/// Starts again, checks, writes one group more and checks again.
fn go_on(disk: &SimDisk, seed: u64, acknowledged: &mut Vec<Said>, refused: Vec<Said>, checked: Option<Pos>) {
    let mut opened = open(disk, checked).unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
    assert_eq!(opened.report.damage, [], "SEED={seed}");
    let found: Vec<Said> = read_all(&opened.reader).0.into_iter().map(|(_, said)| said).collect();
    if found.len() > acknowledged.len() {
        acknowledged.extend(refused);
    }
    assert!(found == *acknowledged, "SEED={seed}: {} of {}", found.len(), acknowledged.len());
    let after = acknowledged.last().map_or(0, |said| said.0);
    let (written, result) = write(&mut opened.appender, &mut opened.writer, Chance(seed).said(after));
    result.unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
    acknowledged.extend(written.said);
    let found = read_all(&opened.reader).0;
    assert!(found.into_iter().map(|(_, said)| said).eq(acknowledged.iter().cloned()), "SEED={seed}");
}

fn check(fail: fn(&SimDisk, u64), calls: fn(&SimDisk) -> u64) {
    let calm = SimDisk::new(0);
    write_until_refused(&calm, 0);
    let calls = calls(&calm);
    assert!(calls > GROUPS as u64, "the life is long enough to fail in");
    for n in 1..=calls {
        for (misfortune, power_cut) in (0..4).flat_map(|seed| [(seed, false), (seed, true)]) {
            // The words are the same each time; the disk's own misfortunes differ.
            let mut disk = SimDisk::new(misfortune);
            fail(&disk, n);
            let (mut acknowledged, refused, end) = write_until_refused(&disk, 0);
            if power_cut {
                disk = disk.crash();
            }
            let checked = (n % 2 == 0 && end > Pos(0)).then_some(end);
            go_on(&disk, n, &mut acknowledged, refused, checked);
            // What a start found, it keeps: the kernel may have thought it was on disk.
            go_on(&disk.crash(), n, &mut acknowledged, Vec::new(), None);
        }
    }
}

#[test]
fn any_write_may_fail_and_nothing_acknowledged_is_lost() {
    check(|disk, n| disk.fail_write_at(n), |disk| disk.counts().writes);
}

#[test]
fn any_sync_may_fail_and_nothing_acknowledged_is_lost() {
    check(|disk, n| disk.fail_sync_at(n), |disk| disk.counts().syncs);
}

#[test]
fn a_group_out_of_its_place_is_refused() {
    let disk = SimDisk::new(1);
    let mut opened = open(&disk, None).expect("the disk works");
    let mut group = |seq| {
        let mut builder = opened.appender.begin();
        builder.push(seq, b"door open");
        opened.appender.finish(builder)
    };
    let (_skipped, second) = (group(1), group(2));
    assert!(matches!(opened.writer.write(&second), Err(StoreError::OutOfOrder { .. })));
}
