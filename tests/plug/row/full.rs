//! A disk of a few megabytes runs full: what cannot be kept is refused in words, reading goes on, also after a restart,
//! and once there is room posting goes on.

use super::{Desk, Tally};
use crate::args::Args;
use crate::mounts::Mount;
use crate::node::{Launch, Node, START_MAX};
use crate::posters::{everybody, while_they_post};
use crate::town::Town;
use crate::wait::until;
use crate::witness::Witness;
use crate::{Outcome, wrong};
use serde_json::json;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

const SIZE: &str = "8m";
/// Bytes that somebody else keeps on this disk and gives free later.
const OTHERS_BYTES: usize = 3 * 1024 * 1024;
/// Between two looks whether it is full.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS_MAX: usize = 300;
/// Starts without a free byte: the first has the ballast to give up, the others have nothing.
const STARVED: usize = 3;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, "full")?;
    let ended = fill(args, desk.path(), tally);
    desk.close(ended)
}

fn fill(args: &Args, desk: &Path, tally: &mut Tally) -> Outcome<()> {
    let disk = Mount::tmpfs(SIZE, &desk.join("disk"))?;
    let (data, others) = (disk.point.join("data"), disk.point.join("others"));
    fs::write(&others, vec![1; OTHERS_BYTES])?;
    let launch = Launch::of(args);
    let mut node = launch.start(&data)?;
    let town = Town::build(&node, &launch, &data)?;
    let witness = Witness::new();
    town.tell(&witness);
    let mut posters = everybody(args.seed);
    let refused = while_they_post(&mut posters, &town, node.address, &witness, |stop| {
        for _ in 0..LOOKS_MAX {
            let post = post(&town, &node);
            if stop.within(LOOK) || !matches!(post, Ok(None)) {
                return post;
            }
        }
        Err(wrong("the disk does not run full"))
    });
    let refused = refused.map_err(|error| wrong(format!("full, and instead of words there is {error}")))?;
    println!("{:<9} refused with: {}", "", refused.unwrap_or_default());
    if !node.runs() {
        return Err(wrong(format!("the node ended instead of refusing: {}", node.last_lines())));
    }
    holds(&town, &node, &witness, tally).map_err(|error| wrong(format!("full, reading: {error}")))?;
    node.kill()?;
    let again = launch.start(&data).inspect_err(|_| tally.failed_starts += 1);
    node = again.map_err(|error| wrong(format!("a start on a full disk: {error}")))?;
    if node.ready_after > START_MAX {
        return Err(wrong("a start on a full disk took too long"));
    }
    holds(&town, &node, &witness, tally).map_err(|error| wrong(format!("full and restarted: {error}")))?;
    let rest = disk.point.join("rest");
    node = starved(&launch, (node, &data), &rest, |node| holds(&town, node, &witness, tally))?;
    fs::remove_file(&rest)?;
    fs::remove_file(&others)?;
    if !until(|| matches!(post(&town, &node), Ok(None))) {
        return Err(wrong(format!("there is room again and no post is taken: {}", node.last_lines())));
    }
    while_they_post(&mut posters, &town, node.address, &witness, |stop| stop.within(LOOK));
    holds(&town, &node, &witness, tally).map_err(|error| wrong(format!("room again: {error}")))?;
    node.kill()
}

/// Started again and again while another takes every byte that is free, so that the ballast is given up and taken too.
fn starved(
    launch: &Launch,
    (mut node, data): (Node, &Path),
    rest: &Path,
    mut holds: impl FnMut(&Node) -> Outcome<()>,
) -> Outcome<Node> {
    for start in 1..=STARVED {
        let wrong = |error| wrong(format!("no byte free, start {start}: {error}"));
        node.kill()?;
        take_the_rest(rest)?;
        node = launch.start(data).map_err(wrong)?;
        holds(&node).map_err(wrong)?;
    }
    if data.join("ballast").exists() {
        return Err(wrong("the ballast is still there on a disk without a free byte"));
    }
    Ok(node)
}

/// Writes until nothing is free.
fn take_the_rest(file: &Path) -> Outcome<()> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file)?;
    loop {
        match file.write_all(&[1; 4096]) {
            Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
            written => written?,
        }
    }
}

/// Somebody posts. The words of the refusal, if it was one; an error if there was no answer.
fn post(town: &Town, node: &Node) -> Outcome<Option<String>> {
    let mut http = town.admin.connect(node.address)?;
    let heard = http.post("/api/v1/chat.postMessage", &json!({ "roomId": "GENERAL", "text": "hello" }))?;
    let words = heard.body["error"].as_str().or(heard.body["message"].as_str()).unwrap_or_default();
    match heard.is_good() {
        true => Ok(None),
        false if words.is_empty() => Err(wrong(format!("{} without words", heard.status))),
        false => Ok(Some(format!("{} {words}", heard.status))),
    }
}

/// Everything acknowledged is shown.
fn holds(town: &Town, node: &Node, witness: &Witness, tally: &mut Tally) -> Outcome<()> {
    tally.cuts += 1;
    let seen = town.look(node.address).inspect_err(|_| tally.failed_starts += 1)?;
    let verdict = witness.judge(&seen, u64::MAX, &|_| false);
    tally.take(&verdict);
    if verdict.is_good() { Ok(()) } else { Err(wrong(verdict.to_string())) }
}
