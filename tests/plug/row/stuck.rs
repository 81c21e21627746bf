//! Writes of the database find no room although the disk seems to have some: a quota, or somebody who took it in that
//! very moment. The node says so, goes on reading, loses nothing, and starts anew once there is room.

use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::image::{Disk, Fate};
use crate::judge::Case;
use crate::node::Launch;
use crate::posters::{everybody, while_they_post};
use crate::record::Recorder;
use crate::town::Town;
use crate::wait::{Stop, until};
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long they post after it.
const LIFE: Duration = Duration::from_millis(400);
/// Files that find no room: those of the database alone.
const PART: &str = "/data/index/";
/// Starts without room.
const STARTS: usize = 4;
/// What the node says of it.
const WAITS: &str = "the index waits for room on the disk";

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, "stuck")?;
    let ended = stuck(args, desk.path(), tally);
    desk.close(ended)
}

fn stuck(args: &Args, desk: &Path, tally: &mut Tally) -> Outcome<()> {
    let (root, full) = (desk.join("power"), desk.join("full"));
    fs::create_dir(&root)?;
    let data = root.join("data");
    let recorder = Recorder::new(desk, &root)?;
    let commands = Launch::of(args).with_small_segments();
    let mut launch = recorder.launch(&commands);
    launch.variables.push(full_while(&full));
    let mut node = launch.start(&data)?;
    let town = Town::build(&node, &commands, &data)?;
    let witness = Witness::new();
    town.tell(&witness);
    let mut posters = everybody(args.seed);
    let post = |stop: &Stop| stop.within(LIFE);
    // An index without a checkpoint is opened without a write.
    let written = |_: &Stop| until(|| fs::metadata(data.join("index/db")).is_ok_and(|db| db.len() > 0));
    if !while_they_post(&mut posters, &town, node.address, &witness, written) {
        return Err(wrong("the index is not brought up"));
    }
    fs::write(&full, "")?;
    let said = while_they_post(&mut posters, &town, node.address, &witness, |_| node.says(WAITS));
    said.map_err(|error| wrong(format!("the index finds no room: {error}")))?;
    // Where the write stopped in the middle of the tree, only a copy can be read, which a new start makes.
    let mut seen = town.look(node.address);
    if seen.is_err() {
        node.serves().map_err(|error| wrong(format!("reading without room, by a new start: {error}")))?;
        println!("{:<9} a write that had begun was in the way of reading: a new start made a copy", "");
        seen = town.look(node.address);
    }
    let seen = seen.map_err(|error| wrong(format!("reading without room: {error}")))?;
    hold(&witness, &seen, tally)?;
    cut(args, desk, &recorder, (&town, &witness), tally)?;
    fs::remove_file(&full)?;
    node.serves().map_err(|error| wrong(format!("there is room again: {error}")))?;
    let seen = town.look(node.address).map_err(|error| wrong(format!("reading after it: {error}")))?;
    hold(&witness, &seen, tally)?;
    while_they_post(&mut posters, &town, node.address, &witness, post);
    node.stop()?;
    let checked = Launch::sound(args).with_small_segments();
    Case::new(&checked, &data, &town, &witness).judge(tally)?.node.kill()
}

/// Everything acknowledged is shown.
fn hold(witness: &Witness, seen: &crate::witness::Seen, tally: &mut Tally) -> Outcome<()> {
    tally.cuts += 1;
    let verdict = witness.judge(seen, u64::MAX, &|_| false);
    tally.take(&verdict);
    if verdict.is_good() { Ok(()) } else { Err(wrong(verdict.to_string())) }
}

/// The power goes now, and is back on a disk with room; and on one where the database still finds none.
fn cut(
    args: &Args,
    desk: &Path,
    recorder: &Recorder,
    (town, witness): (&Town, &Witness),
    tally: &mut Tally,
) -> Outcome<()> {
    let recording = recorder.read()?;
    let mut disk = Disk::new(&recording);
    disk.advance(u64::MAX);
    for (name, fate) in [("dropped", Fate::Dropped), ("kept", Fate::Kept)] {
        let folder = desk.join(name);
        fs::create_dir(&folder)?;
        disk.leave(fate, &mut Chance::new(args.seed), &folder)?;
        let found = folder.join("data");
        let sound = Launch::sound(args).with_small_segments();
        let judged =
            Case::new(&sound, &found, town, witness).judge(tally).and_then(|found| found.node.kill());
        judged.map_err(|error| wrong(format!("a power cut without room, {fate:?}: {error}")))?;
    }
    // What a kill leaves, started where the database may not write: more often than an opening may end the program.
    let folder = desk.join("again");
    fs::create_dir(&folder)?;
    let shim = recorder.elsewhere(&folder, &folder);
    disk.leave(Fate::Kept, &mut Chance::new(args.seed), &folder)?;
    let mut launch = shim.launch(&Launch::sound(args));
    launch.variables.push(full_while(&desk.join("full")));
    for start in 1..=STARTS {
        let wrong = |error| wrong(format!("a start without room, {start}: {error}"));
        let node = launch.start(&folder.join("data")).map_err(wrong)?;
        let seen = town.look(node.address).map_err(wrong)?;
        hold(witness, &seen, tally).map_err(wrong)?;
        node.says("a copy in memory stands in for it").map_err(wrong)?;
        node.kill()?;
    }
    Ok(())
}

/// The database finds no room while this file is there.
fn full_while(file: &Path) -> (String, String) {
    ("PLUG_FULL".into(), format!("{PART}:{}", file.display()))
}
