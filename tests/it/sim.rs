//! Simulated lives of the node: hundreds of seeds on every run, each with people, rooms, listeners, power cuts and
//! failing disks, held against a model that knows only what was acknowledged.
//!
//! A failure prints `SEED=n`; `SEED=n cargo nextest run sim` lives that life again, `LIVES=n` lives more of them.

mod act;
mod chance;
pub mod check;
mod clocks;
mod condense;
mod ear;
mod found;
mod listen;
mod live;
mod model;
mod topics;

use live::{Fault, live};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lives of an ordinary run.
const LIVES: u64 = 200;
/// Lives within which a planted fault must be noticed.
const LIVES_WITH_FAULT: u64 = 100;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn seeds() -> Range<u64> {
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LIVES").unwrap_or(LIVES),
    }
}

/// A life whose panics are findings like any other.
fn outcome(seed: u64, fault: Fault) -> Result<u64, String> {
    catch_unwind(AssertUnwindSafe(|| live(seed, fault))).unwrap_or_else(|_| Err("it panicked".into()))
}

#[test]
fn what_was_acknowledged_stays_and_no_stranger_reads() {
    let half = |from: u64| seeds().skip(from as usize).step_by(2);
    let lived = |from| half(from).find_map(|seed| outcome(seed, Fault::None).err().map(|what| (seed, what)));
    let wrong = std::thread::scope(|scope| {
        let other = scope.spawn(|| lived(1));
        lived(0).or(other.join().unwrap())
    });
    if let Some((seed, what)) = wrong {
        panic!("SEED={seed}: {what}");
    }
}

#[test]
fn the_same_seed_gives_the_same_life() {
    for seed in 0..5 {
        assert_eq!(outcome(seed, Fault::None), outcome(seed, Fault::None), "SEED={seed}");
    }
}

/// The seed of the first life in which the model notices the fault, with what it says.
#[track_caller]
fn check_noticed(fault: Fault, words: &[&str]) {
    let noticed = (0..LIVES_WITH_FAULT).find_map(|seed| outcome(seed, fault).err());
    let what = noticed.unwrap_or_else(|| panic!("{LIVES_WITH_FAULT} lives with {fault:?} passed"));
    let meant = words.iter().any(|word| what.contains(word));
    assert!(meant, "{fault:?} was noticed by chance: {what}");
}

#[test]
fn a_disk_that_does_not_sync_is_noticed() {
    check_noticed(Fault::NoSync, &["acknowledged", "damaged", "does not start"]);
}

#[test]
fn an_answer_before_the_disk_is_noticed() {
    check_noticed(Fault::EarlyReply, &["acknowledged"]);
}

#[test]
fn an_event_left_out_is_noticed() {
    check_noticed(Fault::SkippedEvent, &["missed", "was not told", "without a right"]);
}

#[test]
fn an_event_told_twice_is_noticed() {
    check_noticed(Fault::RepeatedEvent, &["again"]);
}

#[test]
fn a_grant_kept_after_it_ended_is_noticed() {
    check_noticed(Fault::KeptGrant, &["a stranger hears", "without a right"]);
}
