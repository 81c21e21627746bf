//! The ways to take the power away, a row each.

mod aborting;
mod damage;
mod ext4;
mod failing;
mod full;
mod kill;
mod million;
mod plants;
mod recorded;
mod stuck;
mod topics;

use crate::Outcome;
use crate::args::Args;
use crate::witness::Verdict;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A way to take the power away.
pub struct Row {
    pub name: &'static str,
    /// What it shows.
    pub claim: &'static str,
    pub run: fn(&Args, &mut Tally) -> Outcome<()>,
}

/// All of them, in the order they run.
pub const ROWS: &[Row] = &[
    Row {
        name: "recorded",
        claim: "a power cut at any moment, dropping, tearing and reordering what was not synced",
        run: recorded::run,
    },
    Row {
        name: "topics",
        claim: "a power cut at any moment of what comes by MQTT: rooms, retained topics, queues, exactly once",
        run: topics::run,
    },
    Row { name: "plants", claim: "a fault planted in the program is found", run: plants::run },
    Row { name: "ext4", claim: "the power of a real file system is cut under load", run: ext4::run },
    Row {
        name: "failing",
        claim: "one write or sync of a life fails, each in turn, and what was acknowledged is there",
        run: failing::run,
    },
    Row { name: "kill", claim: "a node that is killed again and again on one folder", run: kill::run },
    Row {
        name: "damage",
        claim: "any damage to journal or index: it starts, and says what is lost",
        run: damage::run,
    },
    Row {
        name: "full",
        claim: "a full disk: clear refusals, reading goes on, also after a restart",
        run: full::run,
    },
    Row {
        name: "stuck",
        claim: "the index finds no room, whatever the disk says: nothing is lost, and it goes on by a new start",
        run: stuck::run,
    },
    Row {
        name: "million",
        claim: "with much stored it starts in time, also without its index",
        run: million::run,
    },
];

/// What was tried and what came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Images, cuts, kills and failures that were judged.
    pub cuts: u64,
    /// Acknowledgements that were looked for, over all of them.
    pub acknowledged: u64,
    pub lost: u64,
    pub doubled: u64,
    pub failed_starts: u64,
    /// Rows that found something else wrong, or could not be run.
    pub broken: u64,
    /// The longest start.
    pub slowest: Duration,
}

impl Tally {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.failed_starts + self.broken == 0
    }

    /// Takes what one look found.
    pub fn take(&mut self, verdict: &Verdict) {
        self.lost += verdict.lost.len() as u64;
        self.doubled += verdict.doubled.len() as u64;
        self.acknowledged += verdict.held;
    }

    /// Takes the counts of another.
    pub fn add(&mut self, other: &Tally) {
        self.cuts += other.cuts;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.failed_starts += other.failed_starts;
        self.broken += other.broken;
        self.slowest = self.slowest.max(other.slowest);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { cuts, acknowledged, lost, doubled, failed_starts, broken, slowest } = self;
        write!(
            out,
            "{cuts} images and cuts, {acknowledged} acknowledgements, {lost} lost, {doubled} doubled, "
        )?;
        write!(out, "{failed_starts} failed starts")?;
        if *broken > 0 {
            write!(out, ", {broken} broken promises of another kind")?;
        }
        write!(out, " (slowest start {:.2} s)", slowest.as_secs_f64())
    }
}

/// A folder for one row's work, which goes when all went well and is kept when not.
pub struct Desk {
    path: PathBuf,
    kept: PathBuf,
}

impl Desk {
    /// An empty folder.
    pub fn new(args: &Args, row: &str) -> Outcome<Desk> {
        let path = args.work.join(format!("{row}-{}", std::process::id()));
        let kept = args.work.join("failed").join(format!("{row}-{}", args.seed));
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&path)?;
        Ok(Desk { path, kept })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the work. What a failure leaves is kept, and the failure says where.
    pub fn close<T>(self, ended: Outcome<T>) -> Outcome<T> {
        let Err(error) = ended else {
            fs::remove_dir_all(&self.path)?;
            return ended;
        };
        if let Some(above) = self.kept.parent() {
            fs::create_dir_all(above)?;
        }
        fs::rename(&self.path, &self.kept)?;
        Err(crate::wrong(format!("{error}\n{:<9} kept: {}", "", self.kept.display())))
    }
}
