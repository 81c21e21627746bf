//! The program as it is built for the Pi, where a panic ends it: one inside the database, met while the index is opened,
//! must be known to the start after it. The program takes the place of itself, and sets the index aside.

use super::Tally;
use super::damage::{Damage, Whole, copy, judge};
use crate::args::Args;
use crate::chance::Chance;
use crate::judge::Case;
use crate::node::{Launch, log_of};
use crate::{Outcome, wrong};
use std::fs;
use std::path::Path;

/// Indexes that are damaged for this program.
const CASES: (u64, u64) = (6, 120);
/// What `src/base/plant.rs` looks for in the folder of the index.
const PANICS: &str = "panics";

/// Judges this program on one index that panics for certain, and on some that may.
pub fn run(args: &Args, desk: &Path, whole: &Whole, tally: &mut Tally) -> Outcome<()> {
    if !args.abort.exists() {
        let build = "cargo rustc --features plant --bin linnet -- -C panic=abort, and copy it there";
        return Err(wrong(format!("{} is missing: {build}", args.abort.display())));
    }
    let mut launch = Launch { binary: args.abort.clone(), ..Launch::of(args) }.with_small_segments();
    let mut chance = Chance::new(args.seed ^ 0xab07);
    let mut panicked = 0;
    for case in 0..args.count(CASES.0, CASES.1) {
        let folder = desk.join(format!("aborting-{case}"));
        fs::create_dir(&folder)?;
        let data = folder.join("data");
        copy(&whole.data, &data)?;
        // The second two of every four are damages of the index.
        let damage = Damage::choose(&data, 4 * case + 2, &mut chance)?;
        damage.make(&data)?;
        let judged = judge(&launch, &data, whole, &damage, tally);
        judged.map_err(|error| wrong(format!("a program that aborts, case {case}: {damage:?}: {error}")))?;
        panicked += u64::from(fs::read_to_string(log_of(&data))?.contains("the database panicked"));
        fs::remove_dir_all(&folder)?;
    }
    launch.planted.push("index-panic".into());
    planted(&launch, &desk.join("aborting"), whole, tally)
        .map_err(|error| wrong(format!("a program that aborts, a panic planted: {error}")))?;
    println!("{:<9} where a panic aborts: {panicked} indexes that panicked, and one that had to", "");
    Ok(())
}

/// An index that cannot be opened without a panic.
fn planted(launch: &Launch, folder: &Path, whole: &Whole, tally: &mut Tally) -> Outcome<()> {
    fs::create_dir(folder)?;
    let data = folder.join("data");
    copy(&whole.data, &data)?;
    fs::write(data.join("index").join(PANICS), "")?;
    Case::new(launch, &data, &whole.town, &whole.witness).judge(tally)?.node.kill()?;
    let log = fs::read_to_string(log_of(&data))?;
    for words in ["the database panicked", "linnet starts anew", "The index was built anew from the journal"]
    {
        if !log.contains(words) {
            return Err(wrong(format!("its log does not say '{words}'")));
        }
    }
    if !data.join("quarantine-1").join(PANICS).exists() {
        return Err(wrong("the index that panicked is not kept in quarantine-1"));
    }
    fs::remove_dir_all(folder)
}
