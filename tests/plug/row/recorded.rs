//! The real process is recorded under load; folders are rebuilt as a power cut at random moments could have left them,
//! and the real program is started on each.

use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::early::{Early, early};
use crate::image::{Disk, FATES, Fate};
use crate::judge::Case;
use crate::mqtt::Sensors;
use crate::node::{Launch, Node};
use crate::posters::{Poster, everybody, while_they_post};
use crate::record::{Did, Recorder, Recording};
use crate::town::Town;
use crate::wait::Stop;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Images of the first start, and of the load.
const FIRST: (u64, u64) = (24, 400);
const LOADED: (u64, u64) = (60, 1_200);
/// How long they post in each life; the index is brought up several times in each.
const LIVES_MS: [u64; 3] = [1_500, 6_500, 1_000];
/// How long a sync takes at least: that of a good memory card. An answer that does not wait for it is early for sure.
const SYNC: Duration = Duration::from_millis(5);
/// Images of moments at which something was acknowledged that was not on the disk.
const EARLY_MAX: usize = 4;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let lives: Vec<Duration> = LIVES_MS.map(Duration::from_millis).into();
    recorded(args, "recorded", &lives, (args.count(FIRST.0, FIRST.1), args.count(LOADED.0, LOADED.1)), tally)
}

/// The same, shorter: for a fault that must be found.
pub fn run_short(args: &Args, tally: &mut Tally) -> Outcome<()> {
    recorded(args, "plants", &[Duration::from_millis(1_500)], (0, LOADED.0), tally)
}

fn recorded(
    args: &Args,
    name: &str,
    lives: &[Duration],
    images: (u64, u64),
    tally: &mut Tally,
) -> Outcome<()> {
    let desk = Desk::new(args, name)?;
    let ended =
        record(args, desk.path(), lives).and_then(|life| life.judge(args, desk.path(), images, tally));
    desk.close(ended)
}

/// A recorded life.
struct Life {
    recording: Recording,
    launch: Launch,
    /// Whether there is a `linnet check`.
    checks: bool,
    witness: Arc<Witness>,
    town: Town,
    /// The length of the log when the first start was over, and when the town was built.
    started: u64,
    built: u64,
}

/// Lets a node live through these lives: ended cleanly, killed, ended cleanly, ...
fn record(args: &Args, desk: &Path, lives: &[Duration]) -> Outcome<Life> {
    // The folder above the data is recorded too: the name of the data folder has to be kept as well.
    let root = desk.join("power");
    fs::create_dir(&root)?;
    let (data, settings) = (root.join("data"), desk.join("linnet.toml"));
    let recorder = Recorder::new(desk, &root)?.slow(SYNC);
    let witness = Arc::new(Witness::new());
    let mut sensors = Sensors::start(&settings, &witness, args.seed)?;
    let launch = Launch::of(args).with_small_segments();
    let recorded = recorder.launch(&Launch { config: Some(settings), ..launch.clone() });
    witness.set_clock(recorder.clock());
    let mut posters = everybody(args.seed);
    let mut node = recorded.start(&data)?;
    let started = witness.now();
    let town = Town::build(&node, &launch, &data)?;
    let built = witness.now();
    town.tell(&witness);
    for (at, life) in lives.iter().enumerate() {
        let care = || match launch.care(&data, &desk.join(format!("backup-{at}"))) {
            // A node with a fault may not manage that; what it loses is what counts.
            Err(_) if args.planted.is_some() => Ok(()),
            cared => cared,
        };
        live(&node, &town, &mut posters, &mut sensors, &witness, *life, care)?;
        if at % 2 == 0 {
            node.stop().map(|_| ())?
        } else {
            node.kill()?
        }
        node = recorded.start(&data)?;
    }
    node.kill()?;
    let recording = recorder.read()?;
    same_as_real(&recording, &data, &desk.join("whole"))?;
    let launch = Launch::sound(args).with_small_segments();
    let checks = launch.knows("check")?;
    Ok(Life { recording, checks, launch, witness, town, started, built })
}

fn live(
    node: &Node,
    town: &Town,
    posters: &mut [Poster],
    sensors: &mut Sensors,
    witness: &Witness,
    life: Duration,
    care: impl FnOnce() -> Outcome<()>,
) -> Outcome<()> {
    while_they_post(posters, town, node.address, witness, |stop: &Stop| {
        std::thread::scope(|scope| {
            let publishing = scope.spawn(|| sensors.publish(witness, stop));
            stop.within(life / 2);
            let cared = care();
            stop.within(life / 2);
            stop.say();
            cared?;
            publishing.join().unwrap_or_else(|_| Err(wrong("the publisher panicked")))
        })
    })
}

/// The recording is complete if, with everything kept, it gives the folder that is really there.
fn same_as_real(recording: &Recording, real: &Path, whole: &Path) -> Outcome<()> {
    let mut disk = Disk::new(recording);
    disk.advance(u64::MAX);
    fs::create_dir(whole)?;
    disk.leave(Fate::Kept, &mut Chance::new(0), whole)?;
    compare(real, &whole.join("data"))?;
    fs::remove_dir_all(whole)
}

fn compare(real: &Path, rebuilt: &Path) -> Outcome<()> {
    let names = |folder: &Path| -> Outcome<BTreeSet<_>> {
        let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        let mut kept = entries.iter().filter(|entry| {
            entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_file()) // The control socket is neither.
        });
        Ok(kept.by_ref().map(|entry| entry.file_name()).collect())
    };
    let (ours, theirs) = (names(rebuilt)?, names(real)?);
    if ours != theirs {
        return Err(wrong(format!("the recording missed names in {}: {ours:?}, {theirs:?}", real.display())));
    }
    for name in ours {
        let (real, rebuilt) = (real.join(&name), rebuilt.join(&name));
        if real.is_dir() {
            compare(&real, &rebuilt)?;
        } else if fs::read(&real)? != fs::read(&rebuilt)? {
            return Err(wrong(format!("the recording missed a change of {}", real.display())));
        }
    }
    Ok(())
}

impl Life {
    fn judge(&self, args: &Args, desk: &Path, images: (u64, u64), tally: &mut Tally) -> Outcome<()> {
        let Early { looked, moments } = early(&self.recording, &self.witness);
        println!(
            "{:<9} {looked} messages acknowledged, {} of them before they were synced",
            "",
            moments.len()
        );
        let mut chance = Chance::new(args.seed ^ 0xd15c);
        let worst = moments.iter().take(EARLY_MAX).map(|at| (*at, Fate::Dropped)).collect();
        self.judge_all(worst, desk, &mut chance, tally)?;
        if !moments.is_empty() {
            return Err(wrong("acknowledged before the sync, and yet the images show no loss"));
        }
        let mut moments = cuts(&self.recording, 0, self.started, images.0, &mut chance);
        moments.extend(cuts(&self.recording, self.built, u64::MAX, images.1, &mut chance));
        moments.sort_unstable();
        let fates = FATES.into_iter().cycle();
        self.judge_all(moments.into_iter().zip(fates).collect(), desk, &mut chance, tally)
    }

    /// Judges what these cuts leave, which are in their order.
    fn judge_all(
        &self,
        cuts: Vec<(u64, Fate)>,
        desk: &Path,
        chance: &mut Chance,
        tally: &mut Tally,
    ) -> Outcome<()> {
        let mut disk = Disk::new(&self.recording);
        for (number, (at, fate)) in cuts.into_iter().enumerate() {
            disk.advance(at);
            let root = desk.join(format!("image-{number}"));
            fs::create_dir(&root)?;
            disk.leave(fate, chance, &root)?;
            let judged = self.judge_one(&root.join("data"), at, tally);
            judged.map_err(|error| {
                wrong(format!("image {number} (cut at {at}, the rest {fate:?}): {error}"))
            })?;
            fs::remove_dir_all(&root)?;
        }
        Ok(())
    }

    fn judge_one(&self, data: &Path, at: u64, tally: &mut Tally) -> Outcome<()> {
        let case = Case::new(&self.launch, data, &self.town, &self.witness);
        let town = case.town.filter(|_| at >= self.built);
        Case { at, town, ..case }.judge(tally)?.node.kill()?;
        match self.checks {
            true => self.launch.check(data)?.map_err(wrong),
            false => Ok(()),
        }
    }
}

/// Moments to cut the power: half of them anywhere, half just before a sync is through, where it hurts most.
pub fn cuts(recording: &Recording, from: u64, to: u64, count: u64, chance: &mut Chance) -> Vec<u64> {
    let (mut all, mut syncs, mut before) = (Vec::new(), Vec::new(), 0);
    for record in &recording.records {
        if (from..=to).contains(&before) {
            all.push(before);
            if matches!(record.did, Did::Sync { .. } | Did::SyncFolder { .. }) {
                syncs.push(before);
            }
        }
        before = record.end;
    }
    if all.len() as u64 <= count {
        return all;
    }
    (0..count).map(|number| *chance.pick(if number % 2 == 0 { &all } else { &syncs })).collect()
}
