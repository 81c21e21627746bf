//! Pulls the plug: proves with the real program that nothing acknowledged is lost and that the node always starts.
//!
//! A [`witness`] outside the node's process keeps every attempt and every acknowledgement. Each row takes the power away
//! in its own way; the [`judge`] then starts the program on what is left and asks for everything. `tests/run plug` builds
//! the program with the feature `plant` and runs this; `--help` says what can be chosen.
//!
//! The rig proves itself: with a fault planted (`LINNET_PLANT=no-sync`, `early-ack`) its rows must find losses.

mod args;
#[path = "../it/sim/chance.rs"]
#[allow(dead_code, reason = "the simulated lives use all of it")]
mod chance;
#[path = "../it/broker/client.rs"]
#[allow(dead_code, reason = "the integration tests use all of it")]
#[allow(
    clippy::unwrap_used,
    reason = "nobody takes the power away while this client speaks: a panic says what went wrong"
)]
mod client;
mod ddp;
mod early;
#[path = "../bench/fill.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod fill;
#[allow(dead_code, reason = "the integration tests use all of it")]
#[allow(clippy::unwrap_used, reason = "in a test a broker that does not start may end everything")]
#[allow(
    clippy::disallowed_methods,
    reason = "tests wait for real things and need a real clock for the limit"
)]
mod harness;
mod http;
mod image;
mod judge;
mod mounts;
mod mqtt;
mod node;
mod posters;
mod publish;
mod record;
mod row;
#[path = "../bench/stats.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod stats;
mod town;
mod wait;
mod witness;

use args::Args;
use row::{ROWS, Row, Tally};
use std::io;
use std::process::ExitCode;

/// What a step gives, or why it could not be made or what it found wrong.
pub type Outcome<T> = io::Result<T>;

/// A failure in words.
pub fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{}", args::help());
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("plug: {message}; try --help");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = mounts::guard() {
        eprintln!("plug: {error}");
        return ExitCode::FAILURE;
    }
    let mut sum = Tally::default();
    let mut rows = 0;
    for row in ROWS.iter().filter(|row| args.wants(row.name)) {
        rows += 1;
        if !run(row, &args, &mut sum) {
            break;
        }
    }
    println!("plug: {rows} rows, {sum}");
    ExitCode::from(u8::from(!sum.is_clean()))
}

/// Runs one row and says how it went. Whether the others are worth running.
fn run(row: &Row, args: &Args, sum: &mut Tally) -> bool {
    println!("{:<9} {}", row.name, row.claim);
    let began = wait::now();
    let mut tally = Tally::default();
    let ended = (row.run)(args, &mut tally);
    let seconds = began.elapsed().as_secs_f64();
    if let Err(error) = &ended {
        tally.broken += u64::from(tally.is_clean());
        println!("{:<9} FAILED: {error}", "");
        println!("{:<9} again: {}", "", args.again(row.name));
    }
    println!("{:<9} {tally}; {seconds:.1} s", "");
    sum.add(&tally);
    // With a fault planted from outside one red row is the answer.
    ended.is_ok() || args.planted.is_none()
}
