//! Power goes while a damaged journal is filled from a backup.

use super::{OPTIONS, backup, frames, peopled};
use crate::harness::life::words;
use linnet::chat::room::Room;
use linnet::store::backup::BackupError;
use linnet::store::backup::mend::{Mended, Offer, Wounds, mend};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::journal;
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
