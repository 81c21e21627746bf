//! A real file system: ext4 on a loop device. The node is held still under load, the file behind the device is copied,
//! and the copy, mounted for itself, is what a power cut would have left.

use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::judge::Case;
use crate::mounts::{Mount, run as run_program};
use crate::node::Launch;
use crate::posters::{everybody, while_they_post};
use crate::town::Town;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Times the power is cut.
const CUTS: (u64, u64) = (8, 100);
/// Milliseconds between two cuts, at most; longer than the file system's own five seconds now and then.
const PAUSE_MS_MAX: u64 = 900;
const LONG_PAUSE_MS: u64 = 6_000;
/// Bytes of the file system.
const SIZE: &str = "128M";
/// Copies made until two are the same: the kernel may be writing back what nobody synced.
const COPIES_MAX: usize = 8;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    cuts(args, "ext4", args.count(CUTS.0, CUTS.1), tally)
}

/// A few cuts, for a fault that must be found.
pub fn run_short(args: &Args, tally: &mut Tally) -> Outcome<()> {
    cuts(args, "plants", 2, tally)
}

fn cuts(args: &Args, name: &str, count: u64, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, name)?;
    let ended = cut_again_and_again(args, desk.path(), count, tally);
    desk.close(ended)
}

fn cut_again_and_again(args: &Args, desk: &Path, count: u64, tally: &mut Tally) -> Outcome<()> {
    let image = desk.join("ext4");
    fs::File::create(&image)?;
    run_program(Command::new("truncate").args(["-s", SIZE]).arg(&image))?;
    let at_once = "lazy_itable_init=0,lazy_journal_init=0";
    run_program(Command::new("mkfs.ext4").args(["-q", "-F", "-E", at_once]).arg(&image))?;
    let mount = Mount::of_image(&image, &desk.join("disk"))?;
    let data = mount.point.join("data");
    let launch = Launch::of(args).with_small_segments();
    let node = launch.start(&data)?;
    let town = Town::build(&node, &launch, &data)?;
    let witness = Witness::new();
    town.tell(&witness);
    let mut posters = everybody(args.seed);
    let mut chance = Chance::new(args.seed ^ 0xe4);
    let sound = Launch::sound(args).with_small_segments();
    while_they_post(&mut posters, &town, node.address, &witness, |stop| {
        for cut in 0..count {
            let pause = if cut % 8 == 5 { LONG_PAUSE_MS } else { chance.below(PAUSE_MS_MAX) };
            stop.within(Duration::from_millis(pause));
            node.hold()?;
            let judged = judge(desk, &image, &sound, &town, &witness, tally);
            node.go_on()?;
            judged.map_err(|error| wrong(format!("cut {cut}: {error}")))?;
        }
        Ok(())
    })
}

/// Judges what lies in the image now, on a copy.
fn judge(
    desk: &Path,
    image: &Path,
    launch: &Launch,
    town: &Town,
    witness: &Witness,
    tally: &mut Tally,
) -> Outcome<()> {
    let copy = desk.join("cut");
    copied(image, &copy)?;
    let mount = Mount::of_image(&copy, &desk.join("found"))?;
    let data = mount.point.join("data");
    let judged = Case::new(launch, &data, town, witness).judge(tally);
    judged.and_then(|found| found.node.kill())?;
    drop(mount);
    fs::remove_file(&copy)
}

/// Copies until two copies in a row are the same, so that the copy is of one moment.
fn copied(image: &Path, copy: &Path) -> Outcome<()> {
    let again = copy.with_extension("again");
    let make = |to: &Path| run_program(Command::new("cp").arg("--sparse=always").arg(image).arg(to));
    make(copy)?;
    for _ in 0..COPIES_MAX {
        make(&again)?;
        let same = Command::new("cmp").arg("-s").arg(copy).arg(&again).status()?.success();
        fs::rename(&again, copy)?;
        if same {
            return Ok(());
        }
    }
    Err(wrong("the file system does not come to rest although its writer is held"))
}
