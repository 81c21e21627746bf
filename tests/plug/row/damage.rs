//! A bit flips, a file is cut short, a block is zeroed, a file is gone: anywhere in the journal or the index. The node
//! starts and serves, shows everything whose own bytes in the journal are sound, and says when something is lost.

use super::{Desk, Tally, aborting};
use crate::args::Args;
use crate::chance::Chance;
use crate::http::{Heard, Http};
use crate::judge::Case;
use crate::node::{Launch, Node, log_of};
use crate::posters::{everybody, while_they_post};
use crate::town::Town;
use crate::wait::{Stop, until};
use crate::witness::Witness;
use crate::{Outcome, wrong};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Folders that are damaged.
const CASES: (u64, u64) = (32, 800);
/// How long they post before the stop or the kill, and the segments of the journal there are then at least: with only one
/// its loss would be that of everything.
const LIFE: Duration = Duration::from_millis(1_500);
const SEGMENTS_MIN: usize = 3;
/// What a card's controller loses at least.
const BLOCK: u64 = 4096;
/// The head of a group in the journal, as `src/store/journal/frame.rs` writes it: magic, then the length of the body.
const GROUP_MAGIC: [u8; 4] = [0xa7, b'L', b'g', b'1'];
const GROUP_AROUND_BYTES: usize = 28 + 4;

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, "damage")?;
    let ended = cases(args, desk.path(), tally);
    desk.close(ended)
}

/// A life that was stopped or killed, to be damaged again and again.
pub(super) struct Whole {
    pub(super) data: PathBuf,
    pub(super) town: Town,
    pub(super) witness: Witness,
    /// The index was not brought up to the end.
    killed: bool,
}

fn cases(args: &Args, desk: &Path, tally: &mut Tally) -> Outcome<()> {
    let launch = Launch::of(args).with_small_segments();
    let wholes = [whole(args, &launch, desk, false)?, whole(args, &launch, desk, true)?];
    let mut chance = Chance::new(args.seed ^ 0xda3a);
    let (mut lossless, mut told) = (0, 0);
    for number in 0..args.count(CASES.0, CASES.1) {
        let whole = &wholes[(number % 2) as usize];
        let folder = desk.join(format!("case-{number}"));
        fs::create_dir(&folder)?;
        let data = folder.join("data");
        copy(&whole.data, &data)?;
        let damage = Damage::choose(&data, number, &mut chance)?;
        damage.make(&data)?;
        let judged = judge(&launch, &data, whole, &damage, tally);
        match judged.map_err(|error| wrong(format!("case {number}: {damage:?}: {error}")))? {
            0 => lossless += 1,
            _ => told += 1,
        }
        fs::remove_dir_all(&folder)?;
    }
    println!("{:<9} {lossless} damages without a loss, {told} with one that was told", "");
    aborting::run(args, desk, &wholes[0], tally)
}

fn whole(args: &Args, launch: &Launch, desk: &Path, killed: bool) -> Outcome<Whole> {
    let data = desk.join(if killed { "killed" } else { "stopped" });
    let node = launch.start(&data)?;
    let town = Town::build(&node, launch, &data)?;
    let witness = Witness::new();
    town.tell(&witness);
    // People and rooms are in the index from now on, whatever becomes of the beginning of the journal.
    node.stop()?;
    let node = launch.start(&data)?;
    let segments = || fs::read_dir(data.join("journal")).map_or(0, |names| names.count());
    let post = |stop: &Stop| stop.within(LIFE) || until(|| segments() >= SEGMENTS_MIN);
    if !while_they_post(&mut everybody(args.seed), &town, node.address, &witness, post) {
        return Err(wrong("they post too little"));
    }
    if killed {
        node.kill()?
    } else {
        node.stop().map(|_| ())?
    }
    Ok(Whole { data, town, witness, killed })
}

pub(super) fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let to = to.join(entry.file_name());
        if kind.is_dir() {
            copy(&entry.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Flip,
    Cut,
    Zero,
    Delete,
}

/// What is done to one file.
#[derive(Debug)]
pub(super) struct Damage {
    kind: Kind,
    /// From the data folder.
    file: PathBuf,
    /// The bytes that are not what they were.
    bytes: Range<u64>,
}

impl Damage {
    /// Something at a random place that is in use.
    pub(super) fn choose(data: &Path, number: u64, chance: &mut Chance) -> Outcome<Damage> {
        let kind = [Kind::Flip, Kind::Zero, Kind::Cut, Kind::Delete][(number / 4 % 4) as usize];
        let mut files = Vec::new();
        list(&data.join(if (number / 2).is_multiple_of(2) { "journal" } else { "index" }), &mut files)?;
        files.sort();
        let path = chance.pick(&files).clone();
        let content = fs::read(&path)?;
        let used = content.iter().rposition(|byte| *byte != 0).map_or(1, |last| last as u64 + 1);
        let (at, length) = (chance.below(used), content.len() as u64);
        let bytes = match kind {
            Kind::Flip => at..at + 1,
            Kind::Zero => at / BLOCK * BLOCK..(at / BLOCK * BLOCK + BLOCK).min(length),
            Kind::Cut => at..length,
            Kind::Delete => 0..length,
        };
        let file = path.strip_prefix(data).map_err(|error| wrong(error.to_string()))?.to_owned();
        Ok(Damage { kind, file, bytes })
    }

    pub(super) fn make(&self, data: &Path) -> Outcome<()> {
        let path = data.join(&self.file);
        if let Kind::Delete = self.kind {
            return fs::remove_file(path);
        }
        let mut content = fs::read(&path)?;
        let range = self.bytes.start as usize..(self.bytes.end as usize).min(content.len());
        match self.kind {
            Kind::Flip => content[range].iter_mut().for_each(|byte| *byte ^= 0x10),
            Kind::Zero => content[range].fill(0),
            Kind::Cut | Kind::Delete => content.truncate(range.start),
        }
        fs::write(path, content)
    }

    fn is_in_journal(&self) -> bool {
        self.file.starts_with("journal")
    }

    /// Whether it took a group of the journal in which these words lie. What is checked as one is lost as one.
    fn took(&self, before: &[u8], words: &str) -> bool {
        let words = words.as_bytes();
        let places = before.windows(words.len()).enumerate().filter(|(_, window)| *window == words);
        places.map(|(at, _)| group_at(before, at, words.len())).any(|group| {
            let group = group.start as u64..group.end as u64;
            group.start < self.bytes.end && self.bytes.start < group.end
        })
    }
}

/// The group around a place.
fn group_at(segment: &[u8], at: usize, length: usize) -> Range<usize> {
    let starts = (0..at).rev().filter(|start| segment[*start..].starts_with(&GROUP_MAGIC));
    let group = |start: usize| {
        let body = segment.get(start + 4..start + 8)?;
        let body = u32::from_le_bytes(body.try_into().ok()?) as usize;
        let end = start + GROUP_AROUND_BYTES + body;
        (at + length <= end).then_some(start..end)
    };
    starts.filter_map(group).next().unwrap_or(at..at + length)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Judges a damaged folder. How much was lost, all of it for a reason and told.
pub(super) fn judge(
    launch: &Launch,
    data: &Path,
    whole: &Whole,
    damage: &Damage,
    tally: &mut Tally,
) -> Outcome<u64> {
    let before = fs::read(whole.data.join(&damage.file))?;
    let excused = |states: &[Option<&str>]| {
        // Who came and went and what was removed has no words to look for; the index knows, unless it was behind or had
        // to be built anew.
        let forgot = whole.killed || data.join("quarantine-1").exists();
        let wordless = |state: &Option<&str>| state.is_none_or(|text| text == "in") && forgot;
        let took = |state: &Option<&str>| state.is_some_and(|text| damage.took(&before, text));
        damage.is_in_journal() && states.iter().any(|state| wordless(state) || took(state))
    };
    let case = Case { excused: &excused, ..Case::new(launch, data, &whole.town, &whole.witness) };
    // Before a start: afterwards a lost end is no part of the journal any more.
    let checked = launch.check(data)?;
    let found = case.judge(tally)?;
    // Nobody knows of a newest segment that no checkpoint of the index has reached.
    let newest = fs::read_dir(whole.data.join("journal"))?.flatten().map(|entry| entry.file_name()).max();
    let unknown = whole.killed && damage.file.file_name() == newest.as_deref();
    if found.excused > 0 && !unknown {
        tells(&found.node, data, whole, found.excused)?;
    }
    let excused = found.excused;
    found.node.kill()?;
    let cut_short = fs::read_to_string(log_of(data))?.contains("cut short");
    if excused > 0 && !unknown && !cut_short && checked.is_ok() {
        return Err(wrong(format!("{excused} lost and linnet check says nothing")));
    }
    Ok(excused)
}

/// What was lost is told in the log, to whoever asks after the node's health, and in #system; `linnet check` finds it.
fn tells(node: &Node, data: &Path, whole: &Whole, lost: u64) -> Outcome<()> {
    let log = fs::read_to_string(log_of(data))?;
    // A last group that is not whole looks like one that nobody was told of: that is no trouble.
    if log.contains("cut short") {
        return Ok(());
    }
    let told = |line: &str| {
        let is_loud = line.contains("WARN") || line.contains("ERROR");
        is_loud && line.contains("lost")
    };
    let silent = |who: &str| Err(wrong(format!("{lost} lost and {who} says nothing: {}", node.last_lines())));
    if !log.lines().any(told) {
        return silent("the log");
    }
    let mut http = whole.town.admin.connect(node.address)?;
    if http.get("/health")?.good()?["status"] == "ok" {
        return silent("/health");
    }
    let says = |http: &mut Http| {
        let page = http.get("/api/v1/groups.messages?roomName=system").and_then(Heard::good);
        page.is_ok_and(|page| page["messages"].to_string().contains("lost"))
    };
    if !until(|| says(&mut http)) {
        return silent("#system");
    }
    Ok(())
}
