//! Much is stored: a million messages, in a long run; the release program is killed under load and starts again in time,
//! and once more without its index.

use super::{Desk, Tally};
use crate::args::Args;
use crate::fill::fill;
use crate::judge::Case;
use crate::node::Launch;
use crate::posters::{everybody, while_they_post};
use crate::town::Town;
use crate::wait::now;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Messages in the folder. Filling goes by a library that is not optimised.
const MESSAGES: (u64, u64) = (200_000, 1_000_000);
/// How long they post before the kill.
const LIFE: Duration = Duration::from_millis(1_500);
const MIB: f64 = 1024.0 * 1024.0;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    if !args.release.exists() {
        return Err(wrong(format!("{} is missing: cargo build --release", args.release.display())));
    }
    let desk = Desk::new(args, "million")?;
    let launch = Launch { binary: args.release.clone(), ..Launch::sound(args) };
    let ended = filled(args, &launch).and_then(|filled| starts(&launch, desk.path(), &filled, tally));
    desk.close(ended)
}

/// The filled folder, made now or by an earlier run.
fn filled(args: &Args, launch: &Launch) -> Outcome<PathBuf> {
    let messages = args.count(MESSAGES.0, MESSAGES.1);
    let path = args.work.join(format!("filled-{messages}"));
    let done = path.with_extension("done");
    if !done.exists() {
        let _ = fs::remove_dir_all(&path);
        // The node itself makes the folder and the accounts, so that it takes it as its own later.
        launch.start(&path)?.stop()?;
        println!("{:<9} filling: {}", "", fill(&path, messages as usize)?);
        fs::write(done, "")?;
    }
    Ok(path)
}

fn starts(launch: &Launch, desk: &Path, filled: &Path, tally: &mut Tally) -> Outcome<()> {
    let data = desk.join("data");
    let copied = std::process::Command::new("cp").arg("-a").arg(filled).arg(&data).status()?;
    if !copied.success() {
        return Err(wrong("the filled folder cannot be copied"));
    }
    let node = launch.start(&data)?;
    let town = Town::build(&node, launch, &data)?;
    let witness = Witness::new();
    town.tell(&witness);
    while_they_post(&mut everybody(1), &town, node.address, &witness, |stop| stop.within(LIFE));
    node.kill()?;
    let case = Case::new(launch, &data, &town, &witness);
    let found = case.judge(tally)?;
    println!(
        "{:<9} after the kill it starts in {:.2} s and keeps {:.0} MiB in memory",
        "",
        found.node.ready_after.as_secs_f64(),
        found.node.resident_bytes()? as f64 / MIB
    );
    found.node.kill()?;
    fs::remove_dir_all(data.join("index"))?;
    let began = now();
    let node = launch.start(&data).inspect_err(|_| tally.failed_starts += 1)?;
    println!("{:<9} without its index it starts in {:.2} s", "", began.elapsed().as_secs_f64());
    node.kill()?;
    case.judge(tally)?.node.kill()
}
