//! The clock by table: what a start believes, which steps it follows, who sets it.

use super::*;
use crate::base::world::SimWorld;

/// The true time when a story begins.
const TRUTH: u64 = 1_780_000_000_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
/// What the machine thinks while nobody told it better.
const EPOCH: u64 = 5_000;

fn clock(newest: u64, wall: u64, keeper: Keeper) -> (Arc<SimWorld>, Clock) {
    let world = Arc::new(SimWorld::new(1));
    world.set_wall_ms(wall);
    world.set_keeper(keeper);
    (world.clone(), Clock::start(world, Arc::default(), 1, newest, Seq(1)))
}

fn check_start(newest: u64, wall: u64, keeper: Keeper, expected: (u64, bool)) {
    let (world, clock) = clock(newest, wall, keeper);
    let now = clock.now();
    assert_eq!((now.wall_ms, now.trusted), expected, "{newest} {wall} {keeper:?}");
    world.pass_ms(HOUR);
    assert_eq!(clock.now().wall_ms, expected.0 + HOUR, "time goes on");
}

#[test]
fn a_start_believes_what_can_be_true() {
    use Keeper::{Battery, Nobody};
    let server = |set_ms| Keeper::Server { set_ms };
    // A first start.
    check_start(0, TRUTH, Battery, (TRUTH, true));
    check_start(0, TRUTH, server(TRUTH), (TRUTH, true));
    check_start(0, TRUTH, Nobody, (TRUTH, false));
    check_start(0, EPOCH, Nobody, (EPOCH, false));
    check_start(0, EPOCH, Battery, (EPOCH, false));
    // A store whose newest time is true.
    check_start(TRUTH, TRUTH + DAY, Battery, (TRUTH + DAY, true));
    check_start(TRUTH, TRUTH + YEAR, Battery, (TRUTH + YEAR, true));
    check_start(TRUTH, TRUTH - HOUR, Battery, (TRUTH - HOUR, true));
    check_start(TRUTH, EPOCH, Battery, (TRUTH + 1, false));
    check_start(TRUTH, EPOCH, Nobody, (TRUTH + 1, false));
    check_start(TRUTH, TRUTH - YEAR, Battery, (TRUTH + 1, false));
    check_start(TRUTH, TRUTH + 10 * YEAR, Battery, (TRUTH + 1, false));
    check_start(TRUTH, TRUTH + 10 * YEAR, Nobody, (TRUTH + 1, false));
    check_start(TRUTH, TRUTH + DAY, Nobody, (TRUTH + DAY, false));
    // A time server may say what a battery may not.
    check_start(TRUTH, TRUTH + 10 * YEAR, server(TRUTH + 10 * YEAR), (TRUTH + 10 * YEAR, true));
    check_start(TRUTH + 10 * YEAR, TRUTH, server(TRUTH - HOUR), (TRUTH, true));
    check_start(TRUTH, TRUTH + 10 * YEAR, server(TRUTH - HOUR), (TRUTH + 1, false));
    // A store that never knew the time.
    check_start(DAY, TRUTH, Battery, (TRUTH, true));
    check_start(DAY, EPOCH, Nobody, (DAY + 1, false));
}

/// What happens to the machine's clock, and by how much the node then is off the truth.
fn check_running(happens: impl Fn(&SimWorld), off_ms: i64) {
    let (world, clock) = clock(TRUTH - DAY, TRUTH, Keeper::Battery);
    world.pass_ms(HOUR);
    assert_eq!(clock.now().wall_ms, TRUTH + HOUR);
    happens(&world);
    world.pass_ms(HOUR);
    assert_eq!(clock.now().wall_ms as i64 - (TRUTH + 2 * HOUR) as i64, off_ms);
    assert!(clock.now().trusted);
    assert_eq!(clock.due(), None);
}

#[test]
fn small_steps_are_followed_and_leaps_only_a_time_server_makes() {
    let now = TRUTH + HOUR;
    check_running(|_| {}, 0);
    check_running(|world| world.set_wall_ms(now + 2_500), 2_500);
    check_running(|world| world.set_wall_ms(now - 2_500), -2_500);
    check_running(|world| world.set_wall_ms(now - HOUR), -(HOUR as i64));
    check_running(|world| world.set_wall_ms(now + 10 * YEAR), 0);
    check_running(|world| world.set_wall_ms(now - YEAR), 0);
    check_running(|world| world.set_wall_ms(EPOCH), 0);
    check_running(|world| world.serve_time(now + 10 * YEAR), 10 * YEAR as i64);
    check_running(|world| world.serve_time(now - YEAR), -(YEAR as i64));
    // The server's mark is older than the leap.
    let by_hand = |world: &SimWorld| {
        world.serve_time(now);
        world.set_wall_ms(now + YEAR);
    };
    check_running(by_hand, 0);
    // A machine that slept: both clocks went on.
    check_running(|world| world.pass_ms(3 * DAY), 3 * DAY as i64);
}

#[test]
fn a_leap_that_is_taken_back_leaves_nothing() {
    let (world, clock) = clock(0, TRUTH, Keeper::Battery);
    world.set_wall_ms(TRUTH + 10 * YEAR);
    assert_eq!(clock.standing().doubted, Some(TRUTH + 10 * YEAR));
    world.set_wall_ms(TRUTH + HOUR);
    assert_eq!(clock.standing().doubted, None);
    assert_eq!(clock.now().wall_ms, TRUTH + HOUR);
}

#[test]
fn a_clock_that_nobody_speaks_for_waits_for_a_server_or_a_person() {
    let (world, clock) = clock(TRUTH, EPOCH, Keeper::Nobody);
    world.pass_ms(HOUR);
    assert_eq!(clock.due(), None);
    // A server that leaves no mark makes a small step.
    world.set_wall_ms(EPOCH + 2 * HOUR);
    let step = clock.due().unwrap();
    clock.turn(step, Seq(9), TRUTH);
    assert_eq!((clock.now().wall_ms, clock.now().trusted), (TRUTH + 1 + 2 * HOUR, false));
    assert_eq!(clock.due(), None, "a step is taken once");
    let person = clock.set_by_person(TRUTH + YEAR).unwrap();
    let before = clock.turn(person, Seq(9), TRUTH);
    assert_eq!((clock.now().wall_ms, clock.now().trusted), (TRUTH + YEAR, true));
    clock.take_back(before);
    assert!(!clock.now().trusted, "a turn that was not written is none");
    clock.turn(person, Seq(9), TRUTH);
    world.pass_ms(HOUR);
    world.serve_time(TRUTH + DAY);
    let server = clock.due().unwrap();
    let before = clock.turn(server, Seq(20), TRUTH + YEAR);
    assert_eq!((before.since, before.floor_ms), (Some(Seq(1)), TRUTH), "all of it can be corrected");
    assert_eq!(clock.now().wall_ms, TRUTH + DAY);
    assert_eq!(clock.set_by_person(TRUTH), Err(Refusal::ClockKnown));
}

#[test]
fn a_person_confirms_a_leap() {
    let (world, clock) = clock(0, TRUTH, Keeper::Battery);
    world.set_wall_ms(TRUTH + YEAR);
    assert!(clock.standing().doubted.is_some());
    let turn = clock.set_by_person(TRUTH + YEAR).unwrap();
    clock.turn(turn, Seq(7), TRUTH);
    world.pass_ms(HOUR);
    assert_eq!(clock.now().wall_ms, TRUTH + YEAR + HOUR);
    assert_eq!(clock.lock().since, Some(Seq(7)), "what the machine said before stays");
    assert!(matches!(clock.set_by_person(EPOCH), Err(Refusal::Invalid { .. })));
}

#[test]
fn a_code_lives_by_the_monotonic_clock() {
    let (world, clock) = clock(0, EPOCH, Keeper::Nobody);
    let (code, other) = (TokenHash([1; 32]), TokenHash([2; 32]));
    let life = EPOCH..EPOCH + 15 * 60_000;
    clock.note_code(code, life.end);
    world.pass_ms(60_000);
    world.serve_time(TRUTH);
    clock.turn(clock.due().unwrap(), Seq(2), EPOCH);
    assert!(clock.code_lives(&code, life.clone()), "the leap took none of its time");
    assert!(!clock.code_lives(&other, life.clone()), "one of an earlier start goes by its date");
    world.pass_ms(14 * 60_000);
    assert!(!clock.code_lives(&code, life));
}
