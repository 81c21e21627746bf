//! One write or sync of a life fails: the node goes on refusing or ends, and what it acknowledged is there afterwards,
//! in the folder as it is and as a power cut would leave it. After a failed sync what was to be synced never reaches the
//! disk, whatever a later sync says.

use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::image::{Disk, Fate};
use crate::judge::Case;
use crate::node::{Launch, Node};
use crate::posters::{everybody, while_they_post};
use crate::record::{Did, Recorder};
use crate::town::Town;
use crate::wait::Stop;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What fails and how, as the shim reads it.
const FAILURES: [(&str, &str); 4] =
    [("write", "EIO"), ("write", "ENOSPC"), ("write", "SHORT"), ("sync", "EIO")];
/// Calls of a short run that fail, of each kind; a long run takes every one.
const SPREAD: u64 = 8;
/// How long they post: what begins in the first start goes on with a few hundred writes.
const LIFE: Duration = Duration::from_millis(120);

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, "failing")?;
    let ended = lives(args, desk.path(), tally);
    desk.close(ended)
}

fn lives(args: &Args, desk: &Path, tally: &mut Tally) -> Outcome<()> {
    let shim = Recorder::new(desk, desk)?;
    let whole = Life::live(args, &shim, &desk.join("whole"), None)?;
    let recording = whole.recorder.read()?;
    let count =
        |of: fn(&Did) -> bool| recording.records.iter().filter(|record| of(&record.did)).count() as u64;
    let writes = count(|did| matches!(did, Did::Write { .. }));
    let syncs = count(|did| matches!(did, Did::Sync { .. } | Did::SyncFolder { .. }));
    println!("{:<9} a life of {writes} writes and {syncs} syncs", "");
    let mut chance = Chance::new(args.seed ^ 0xfa11);
    for (call, how) in FAILURES {
        let calls = if call == "write" { writes } else { syncs };
        for at in which(calls, args.long, &mut chance) {
            let failure = format!("{call}:{at}:{how}");
            let folder = desk.join(format!("{call}-{at}-{how}"));
            let judged =
                Life::live(args, &shim, &folder, Some(&failure)).and_then(|life| life.judge(args, tally));
            judged.map_err(|error| wrong(format!("{failure}: {error}")))?;
            fs::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}

/// Every call, or some: half of them early, where the first start is.
fn which(calls: u64, all: bool, chance: &mut Chance) -> Vec<u64> {
    if all {
        return (1..=calls).collect();
    }
    let early = calls.min(4 * SPREAD);
    (0..SPREAD).map(|number| 1 + chance.below(if number % 2 == 0 { early } else { calls })).collect()
}

struct Life {
    folder: PathBuf,
    data: PathBuf,
    recorder: Recorder,
    witness: Witness,
    /// Nothing was acknowledged before there was one.
    town: Option<Town>,
}

impl Life {
    /// A first start, a town, some posts, a stop; as far as it comes.
    fn live(args: &Args, shim: &Recorder, folder: &Path, failure: Option<&str>) -> Outcome<Life> {
        let root = folder.join("power");
        fs::create_dir_all(&root)?;
        let data = root.join("data");
        let recorder = shim.elsewhere(folder, &root);
        let mut launch = recorder.launch(&Launch::of(args).with_small_segments());
        launch.variables.extend(failure.map(|failure| ("PLUG_FAIL".into(), failure.into())));
        let mut life =
            Life { folder: folder.to_owned(), data, recorder, witness: Witness::new(), town: None };
        if let Ok(node) = launch.start(&life.data) {
            life.town = life.post(args, node, &launch);
        }
        if failure.is_none() && life.town.is_none() {
            return Err(wrong("nothing failed and yet it does not serve"));
        }
        Ok(life)
    }

    fn post(&self, args: &Args, node: Node, launch: &Launch) -> Option<Town> {
        let commands = Launch { variables: Vec::new(), ..launch.clone() };
        let town = Town::build(&node, &commands, &self.data).ok();
        if let Some(town) = &town {
            town.tell(&self.witness);
            let post = |stop: &Stop| stop.within(LIFE);
            while_they_post(&mut everybody(args.seed), town, node.address, &self.witness, post);
        }
        // It may have ended by itself; that it ends at all is what counts.
        node.stop().ok()?;
        town
    }

    fn judge(&self, args: &Args, tally: &mut Tally) -> Outcome<()> {
        let cut = self.folder.join("cut");
        fs::create_dir(&cut)?;
        let recording = self.recorder.read()?;
        let mut disk = Disk::new(&recording);
        disk.advance(u64::MAX);
        disk.leave(Fate::Dropped, &mut Chance::new(args.seed), &cut)?;
        let launch = Launch::sound(args).with_small_segments();
        for (what, data) in [("the folder", &self.data), ("after a power cut", &cut.join("data"))] {
            let at = u64::MAX;
            let (town, witness) = (self.town.as_ref(), &self.witness);
            let case = Case { launch: &launch, data, town, witness, at, excused: &|_| false };
            let judged = case.judge(tally).and_then(|found| found.node.kill());
            judged.map_err(|error| wrong(format!("{what}: {error}")))?;
        }
        Ok(())
    }
}
