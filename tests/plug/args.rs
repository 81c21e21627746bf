//! What can be chosen on the command line.

use crate::row::ROWS;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The seed of a run that names none. One seed finds the same every time; `--seed` looks elsewhere.
const SEED: u64 = 1;

/// A run of the rig.
#[derive(Debug, Clone)]
pub struct Args {
    /// More of everything.
    pub long: bool,
    /// The rows to run; all when empty.
    pub rows: Vec<String>,
    /// What chance begins with.
    pub seed: u64,
    /// The program, built with the feature `plant`.
    pub binary: PathBuf,
    /// The same, built so that a panic ends it.
    pub abort: PathBuf,
    /// The program as it is released, for the row that measures.
    pub release: PathBuf,
    /// Where folders of nodes lie while they are worked on.
    pub work: PathBuf,
    /// The fault that is planted in every node.
    pub planted: Option<String>,
}

impl Args {
    /// Reads the words; `None` when help is asked for.
    pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Option<Args>, String> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        let release = std::env::var_os("LINNET_BIN").map(PathBuf::from);
        let mut args = Args {
            long: false,
            rows: Vec::new(),
            seed: SEED,
            binary: target.join("plug/linnet"),
            abort: target.join("plug/linnet-abort"),
            release: release.unwrap_or_else(|| target.join("release/linnet")),
            work: target.join("plug"),
            planted: std::env::var("LINNET_PLANT").ok().filter(|words| !words.is_empty()),
        };
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(word) = parser.next().map_err(|error| error.to_string())? {
            match word {
                Long("help") | Short('h') => return Ok(None),
                Long("long") => args.long = true,
                Long("row") => args.rows.push(known(&text(&mut parser)?)?),
                Long("seed") => {
                    args.seed = text(&mut parser)?.parse().map_err(|_| "--seed needs a number")?
                }
                Long("binary") => args.binary = text(&mut parser)?.into(),
                Long("abort") => args.abort = text(&mut parser)?.into(),
                Long("release") => args.release = text(&mut parser)?.into(),
                Long("work") => args.work = text(&mut parser)?.into(),
                other => return Err(other.unexpected().to_string()),
            }
        }
        for path in [&mut args.binary, &mut args.abort, &mut args.release, &mut args.work] {
            *path = std::path::absolute(&path).map_err(|error| error.to_string())?;
        }
        there(&args.binary)?;
        Ok(Some(args))
    }

    /// Whether a row is to run.
    pub fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }

    /// The words that run this row again just so.
    pub fn again(&self, row: &str) -> String {
        let planted = self.planted.iter().map(|words| format!("LINNET_PLANT={words} ")).collect::<String>();
        let long = if self.long { " --long" } else { "" };
        format!("{planted}tests/run plug --row {row} --seed {}{long}", self.seed)
    }

    /// So many in a short run, so many in a long one.
    pub fn count(&self, short: u64, long: u64) -> u64 {
        if self.long { long } else { short }
    }
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(|error| error.to_string())
}

fn known(row: &str) -> Result<String, String> {
    let is_known = ROWS.iter().any(|known| known.name == row);
    is_known.then(|| row.to_owned()).ok_or_else(|| format!("there is no row '{row}'"))
}

fn there(binary: &Path) -> Result<(), String> {
    let wanted = "cargo build --features plant --bin linnet, and copy it there, or run tests/run plug";
    if binary.exists() { Ok(()) } else { Err(format!("{} is missing: {wanted}", binary.display())) }
}

/// What `--help` prints.
pub fn help() -> String {
    let mut help = "\
plug: pulls the plug on the real program and looks for what was acknowledged

usage: tests/run plug [--long] [--row NAME]... [--seed N]
                      [--binary FILE] [--abort FILE] [--release FILE] [--work DIR]

  --long      more of everything: half an hour instead of minutes
  --row NAME  only this row; may be given several times
  --seed N    where chance begins; a failing row names its own

The folder of what failed is kept under target/plug/failed. LINNET_PLANT=no-sync, early-ack or another word of
src/base/plant.rs plants a fault.

rows:
"
    .to_owned();
    for row in ROWS {
        help += &format!("  {:<9} {}\n", row.name, row.claim);
    }
    help
}
