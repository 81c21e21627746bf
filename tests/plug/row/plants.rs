//! The rig proves itself: with a fault planted in the program the rows must find what it loses.

use super::{Tally, recorded};
use crate::args::Args;
use crate::{Outcome, wrong};

/// The faults of `src/base/plant.rs`.
const PLANTS: [&str; 2] = ["no-sync", "early-ack"];

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    for plant in PLANTS {
        let planted = Args { planted: Some(plant.into()), ..args.clone() };
        let mut found = Tally::default();
        let ended = recorded::run_short(&planted, &mut found);
        tally.cuts += found.cuts;
        if found.lost == 0 {
            let why = ended.map_or_else(|error| error.to_string(), |()| "all was well".into());
            return Err(wrong(format!("{plant} was planted and nothing was found lost: {why}")));
        }
        println!("{:<9} {plant}: found after {} images", "", found.cuts);
    }
    let _ = std::fs::remove_dir_all(args.work.join("failed").join(format!("plants-{}", args.seed)));
    Ok(())
}
