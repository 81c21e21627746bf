//! The thread that cares: it does what is due when the clock says so.

use super::{DAY_MS, kept, talk};
use crate::harness::life::Life;
use crate::harness::wait::until;
use linnet::base::limits::{CARE_LOOK_MS, SCRUB_EVERY_MS, SCRUB_FIRST_MS};
use linnet::base::world::{SimWorld, World};
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::care::Care;
use linnet::node::rounds::{Agenda, Duty};
use linnet::node::run::run;
use linnet::node::trim::{Retention, Rule};
use linnet::node::{Catalog, refuse};
use linnet::store::disk::Disk;
use linnet::store::journal;

#[test]
fn looks_and_readings_come_at_their_times_and_none_is_forgotten() {
    let world = SimWorld::new(1);
    let mut agenda = Agenda::new(world.mono_ms());
    let mut done = Vec::new();
    while world.mono_ms() < 2 * SCRUB_EVERY_MS {
        match agenda.next(world.mono_ms()) {
            Ok(duty) => done.push((world.mono_ms(), duty)),
            Err(wait_ms) => {
                assert!(wait_ms > 0 && wait_ms <= CARE_LOOK_MS);
                world.pass_ms(wait_ms);
            }
        }
    }
    let at = |wanted| done.iter().filter(move |(_, duty)| *duty == wanted).map(|(at, _)| *at);
    assert_eq!(at(Duty::Scrub).collect::<Vec<_>>(), [SCRUB_FIRST_MS, SCRUB_FIRST_MS + SCRUB_EVERY_MS]);
    assert!(at(Duty::Look).eq((1..2 * SCRUB_EVERY_MS / CARE_LOOK_MS).map(|look| look * CARE_LOOK_MS)));
    // A machine that slept, or a reading that took long, makes one look late, not many.
    world.pass_ms(DAY_MS);
    let late = [agenda.next(world.mono_ms()), agenda.next(world.mono_ms())];
    assert_eq!(late, [Ok(Duty::Scrub), Ok(Duty::Look)]);
    assert!(agenda.next(world.mono_ms()).is_err());
    agenda.scrub_soon(world.mono_ms());
    assert_eq!(agenda.next(world.mono_ms()), Err(SCRUB_FIRST_MS));
    world.pass_ms(SCRUB_FIRST_MS);
    assert_eq!(agenda.next(world.mono_ms()), Ok(Duty::Scrub));
}

#[tokio::test]
async fn one_thread_reads_the_journal_again_and_trims_when_the_clock_says_so() {
    let mut life = Life::begin(2);
    let (_, bob) = life.user("bob", &[Role::User]);
    talk(&mut life, &bob, &[&Room::GENERAL], 200);
    life.world.pass_ms(2 * DAY_MS);
    let (world, disk) = (life.world.clone(), life.disk.clone());
    assert!(kept(&life, &Room::GENERAL).0 > 200);
    let (node, running) = run(life.parts, || {}).unwrap();
    let rule = Retention::from(Rule { days: 1, megabytes: 0 });
    let care = Care::start(node.clone(), world.clone(), rule).unwrap();
    // A byte of a message in the first segment turns over.
    let name = disk.list(journal::FOLDER).unwrap().into_iter().min().unwrap();
    let file = disk.open(&format!("{}/{name}", journal::FOLDER)).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    let at = bytes.windows(9).position(|nine| nine == b"number 20").unwrap();
    file.write_at(b"M", at as u64).unwrap();
    let trimmed = || {
        let known = node.read(|reading| reading.trimmed(&Room::GENERAL).map_err(refuse));
        known.unwrap().is_some()
    };
    let reports = |what: &str| node.health.current().iter().any(|trouble| trouble.kind.word() == what);
    world.pass_ms(SCRUB_FIRST_MS);
    care.wake();
    until("the damage is found", || reports("journal_damaged")).await;
    assert!(!trimmed(), "that is due later");
    world.pass_ms(CARE_LOOK_MS - SCRUB_FIRST_MS);
    care.wake();
    until("the room is trimmed", trimmed).await;
    care.stop();
    running.stop().unwrap();
}
