//! Power goes while a damaged journal is filled from a backup.

use super::{OPTIONS, backup, frames, peopled};
use crate::harness::life::words;
use linnet::base::budget::Budget;
use linnet::base::id::Seq;
use linnet::base::world::SimWorld;
use linnet::chat::room::Room;
use linnet::node::start::start_behind;
use linnet::store::backup::BackupError;
use linnet::store::backup::mend::{Mended, Offer, Wounds, mend, mend_and_remember};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use linnet::store::index::settled::Checkpoint;
use linnet::store::journal;
use linnet::store::lost::register::Register;
use std::sync::Arc;

const ASIDE: &str = "aside";

fn filled(disk: &SimDisk, bytes: &[u8]) -> Result<Mended, BackupError> {
    let reader = journal::open(Arc::new(disk.clone()), OPTIONS, None)?.reader;
    let wounds = Wounds::of(&reader, 0)?;
    drop(reader);
    let offer = Offer::of(&wounds, bytes)?;
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    mend(&on, OPTIONS, &wounds, &offer, bytes, ASIDE)
}

fn readable(disk: &SimDisk) -> Vec<(u64, Vec<u8>)> {
    let reader = journal::open(Arc::new(disk.clone()), OPTIONS, None).unwrap().reader;
    let found = reader.scan(journal::Pos(0), reader.end()).flatten();
    found.map(|(_, frame)| (frame.seq, frame.payload.to_vec())).collect()
}

#[test]
fn power_may_go_at_every_step_of_a_repair() {
    let (mut life, alice) = peopled();
    for number in 0..30 {
        let text = format!("{number}{}", "x".repeat(4_900));
        life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
    }
    let bytes = backup(&life.parts.reading);
    let all = frames(&life.disk);
    let hurt = life.disk.crash();
    let mut names = hurt.list("journal").unwrap();
    names.sort();
    let (holed, gone) = (format!("journal/{}", names[2]), format!("journal/{}", names[5]));
    let file = hurt.open(&holed).unwrap();
    file.write_at(&[0; 3_000], 6_000).unwrap();
    file.sync_data().unwrap();
    let damaged_length = file.len().unwrap();
    hurt.remove(&gone).unwrap();
    hurt.sync_folder("journal").unwrap();
    let before = readable(&hurt);
    let steps = {
        let disk = hurt.crash();
        let begun = disk.counts().changes;
        let mended = filled(&disk, &bytes).unwrap();
        assert_eq!((mended.back as usize, mended.lost.len()), (all.len() - before.len(), 0), "{mended:?}");
        disk.counts().changes - begun
    };
    assert!(steps > 20, "{steps}");
    for step in 1..=steps + 1 {
        let disk = hurt.crash();
        disk.lose_power_at(step);
        let _ = filled(&disk, &bytes);
        let disk = disk.crash();
        let left = readable(&disk);
        assert!(before.iter().all(|frame| left.contains(frame)), "step {step}: something more is lost");
        assert!(left.iter().all(|frame| all.contains(frame)), "step {step}");
        if !disk.list("journal").unwrap().contains(&names[2]) {
            let kept = disk.open(&format!("{ASIDE}/{}", names[2])).unwrap();
            assert_eq!(kept.len().unwrap(), damaged_length, "step {step}: the damaged file is kept");
        }
        filled(&disk, &bytes).unwrap();
        assert_eq!(frames(&disk.crash()), all, "step {step}");
    }
}

/// A start that brings back what the end of the journal lost, and goes on behind what stays lost.
fn started(disk: &SimDisk, bytes: &[u8], claimed: u64) -> Result<(), BackupError> {
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let reader = journal::open(on.clone(), OPTIONS, None)?.reader;
    let wounds = Wounds::of(&reader, claimed)?;
    drop(reader);
    if !wounds.holes.is_empty() {
        let (offer, register) = (Offer::of(&wounds, bytes)?, Register::open(on.clone()));
        mend_and_remember(&on, OPTIONS, (&wounds, &offer), bytes, ASIDE, &register)?;
    }
    let reached = Some(Checkpoint { seq: Seq(claimed), ..Checkpoint::default() });
    let world = Arc::new(SimWorld::new(5));
    start_behind(on, Box::new(MemoryKv::default()), world, OPTIONS, reached, Budget::default())
        .map(drop)
        .map_err(BackupError::from)
}

#[test]
fn power_may_go_at_every_step_of_a_start_that_mends_a_lost_end() {
    let (mut life, alice) = peopled();
    let say = |life: &mut crate::harness::life::Life, count: u64| {
        for number in 0..count {
            let text = format!("{number}{}", "x".repeat(4_900));
            life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
        }
    };
    say(&mut life, 20);
    let bytes = backup(&life.parts.reading);
    let kept = frames(&life.disk);
    say(&mut life, 5);
    let claimed = life.parts.reading.newest().0;
    let hurt = life.disk.crash();
    let mut names = hurt.list("journal").unwrap();
    names.sort();
    for name in &names[names.len() - 4..] {
        hurt.remove(&format!("journal/{name}")).unwrap();
    }
    hurt.sync_folder("journal").unwrap();
    let left = readable(&hurt);
    let last = kept.last().unwrap().0;
    assert!(left.len() < kept.len() && last < claimed, "{} {}", left.len(), kept.len());
    let judge = |disk: &SimDisk, step: u64| {
        let after = readable(disk);
        assert_eq!(after[..kept.len()], kept, "step {step}");
        let next = after[kept.len()].0;
        assert!(next > claimed, "step {step}: {next} is given twice");
        let register = Register::open(Arc::new(disk.clone()));
        assert!(register.knows((last + 1, claimed)), "step {step}: {:?}", register.list());
    };
    let disk = hurt.crash();
    let begun = disk.counts().changes;
    started(&disk, &bytes, claimed).unwrap();
    judge(&disk.crash(), 0);
    let steps = disk.counts().changes - begun;
    assert!(steps > 20, "{steps}");
    for step in 1..=steps + 1 {
        let disk = hurt.crash();
        disk.lose_power_at(step);
        let _: Result<(), BackupError> = started(&disk, &bytes, claimed);
        let disk = disk.crash();
        started(&disk, &bytes, claimed).unwrap();
        judge(&disk.crash(), step);
    }
}
