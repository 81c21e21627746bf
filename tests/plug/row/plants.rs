//! The rig proves itself: with a fault planted in the program the rows must find what it loses.

use super::{Tally, ext4, recorded, topics};
use crate::args::Args;
use crate::{Outcome, wrong};

/// A fault of `src/base/plant.rs`, and the row that must find it.
type Plant = (&'static str, &'static str, fn(&Args, &mut Tally) -> Outcome<()>);

const PLANTS: [Plant; 6] = [
    ("no-sync", "recorded", recorded::run_short),
    ("early-ack", "recorded", recorded::run_short),
    ("no-sync", "ext4", ext4::run_short),
    ("forget-retained", "topics", topics::run_short),
    ("lose-queued", "topics", topics::run_short),
    ("take-twice", "topics", topics::run_short),
];

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    for (plant, row, run) in PLANTS {
        let planted = Args { planted: Some(plant.into()), ..args.clone() };
        let mut found = Tally::default();
        let ended = run(&planted, &mut found);
        tally.cuts += found.cuts;
        if found.lost + found.doubled == 0 {
            let why = ended.map_or_else(|error| error.to_string(), |()| "all was well".into());
            return Err(wrong(format!("{plant} was planted and {row} found nothing lost or doubled: {why}")));
        }
        println!("{:<9} {plant}: found by {row} after {} images", "", found.cuts);
    }
    let _ = std::fs::remove_dir_all(args.work.join("failed").join(format!("plants-{}", args.seed)));
    Ok(())
}
