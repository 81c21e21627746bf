//! Killed (signal 9) at random moments under load, the same folder again and again. Proves nothing about the disk, which
//! the kernel keeps; it proves starts, redelivery and retries.

use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::judge::Case;
use crate::mqtt::Sensors;
use crate::node::Launch;
use crate::posters::{SENSOR, everybody, while_they_post};
use crate::town::{SENSORS, Town};
use crate::wait::until;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Times the node is killed.
const ROUNDS: (u64, u64) = (12, 120);
/// Milliseconds between a start and its end, at most.
const LIFE_MS_MAX: u64 = 900;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, "kill")?;
    let ended = rounds(args, tally, desk.path());
    desk.close(ended)
}

fn rounds(args: &Args, tally: &mut Tally, desk: &Path) -> Outcome<()> {
    let (data, settings) = (desk.join("data"), desk.join("linnet.toml"));
    let witness = Arc::new(Witness::new());
    let mut sensors = Sensors::start(&settings, &witness, args.seed)?;
    let launch = Launch { config: Some(settings), ..Launch::of(args).with_small_segments() };
    let mut chance = Chance::new(args.seed);
    let mut posters = everybody(args.seed);
    let mut node = launch.start(&data)?;
    let town = Town::build(&node, &launch, &data)?;
    town.tell(&witness);
    for round in 0..args.count(ROUNDS.0, ROUNDS.1) {
        let life = Duration::from_millis(chance.below(LIFE_MS_MAX));
        let published = while_they_post(&mut posters, &town, node.address, &witness, |stop| {
            std::thread::scope(|scope| {
                let publishing = scope.spawn(|| sensors.publish(&witness, stop));
                stop.within(life);
                // One end in four is a clean one: what it leaves is another kind of folder.
                let killed = if chance.below(4) == 0 { node.stop().map(|_| ()) } else { node.kill() };
                stop.say();
                killed.and(publishing.join().unwrap_or_else(|_| Err(wrong("the publisher panicked"))))
            })
        });
        published?;
        let case = Case::new(&launch, &data, &town, &witness);
        let found = case.judge(tally).map_err(|error| wrong(format!("round {round}: {error}")))?;
        witness.learn(&found.seen, SENSOR);
        node = found.node;
    }
    sensors.finish()?;
    let wanted = witness.messages_of(SENSOR).len();
    let arrived = until(|| town.look(node.address).is_ok_and(|seen| seen.rooms[SENSORS].len() >= wanted));
    witness.messages_of(SENSOR).iter().for_each(|(thing, _)| witness.acknowledged_last(thing));
    node.kill()?;
    Case::new(&launch, &data, &town, &witness).judge(tally)?;
    let refusal = posters.iter().find(|poster| poster.refusals > 0);
    match refusal {
        Some(poster) => Err(wrong(format!("a healthy node refused: {}", poster.refusal))),
        None if !arrived => Err(wrong("what the broker kept has not all arrived")),
        None => Ok(()),
    }
}
