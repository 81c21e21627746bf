//! Segments that are mostly waste are written anew by themselves, a little at every look.

use super::{room, talk};
use crate::harness::kv::{Watch, WatchedKv};
use crate::harness::life::Life;
use crate::sim::check;
use linnet::base::limits::CONDENSED_RUN_MAX;
use linnet::base::world::SimWorld;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::rounds::Rounds;
use linnet::node::trim::Retention;
use linnet::node::{Caller, Catalog};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::{self, Segment};
use std::sync::Arc;

/// Somebody says a word now and then, and somebody else reads on and on.
fn reads_on(life: &mut Life, bob: &Caller, carol: &Caller, times: u64) {
    for number in 0..times {
        if number % 40 == 0 {
            talk(life, bob, &[&Room::GENERAL], 1);
        }
        life.world.pass_ms(10);
        life.call(|n| n.mark_read(carol, &Room::GENERAL, Some(number % 3))).unwrap();
    }
}

/// Bytes of the journal's files.
fn files(life: &Life) -> u64 {
    let names = life.disk.list(journal::FOLDER).unwrap();
    let file = |name: &String| life.disk.open(&format!("{}/{name}", journal::FOLDER)).unwrap();
    names.iter().map(|name| file(name).len().unwrap()).sum()
}

fn segments(life: &Life) -> Vec<Segment> {
    life.parts.reading.journal().segments()
}

/// One look; gives the bytes of the segments that it wrote anew.
fn look(life: &mut Life, rounds: &mut Rounds) -> u64 {
    let before = segments(life);
    life.look(rounds).unwrap();
    let now = segments(life);
    let gone = before[..before.len() - 1].iter().filter(|segment| !now.contains(segment));
    gone.map(|segment| segment.bytes).sum()
}

#[test]
fn what_nobody_needs_goes_by_itself_a_little_at_every_look() {
    let mut life = Life::begin(11);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (carol, as_carol) = life.user("carol", &[Role::User]);
    reads_on(&mut life, &bob, &as_carol, 4_000);
    let quiet = room(&mut life, &bob, "quiet");
    talk(&mut life, &bob, &[&quiet], 300);
    let read = life.parts.reading.read_mark(&Room::GENERAL, &carol.id).unwrap();
    let (before, many) = (files(&life), segments(&life).len());
    assert!(many > 10, "{many}");
    let mut rounds = Rounds::new(Retention::default());
    let room = life.parts.reading.journal().segment_bytes();
    for _ in 0..many + CONDENSED_RUN_MAX {
        // One segment, which may be longer by a group.
        let written = look(&mut life, &mut rounds);
        assert!(written < 2 * room, "{written} in one look");
    }
    let (after, few) = (files(&life), segments(&life).len());
    assert!(after * 2 < before, "{before} {after}");
    assert!(few <= many);
    // What the node says of itself is what lies there; the newest file has room prepared at its end.
    let (_, said) = life.parts.reading.journal().size();
    assert!(said <= after && said + room > after, "{said} of {after}");
    assert_eq!(life.parts.reading.read_mark(&Room::GENERAL, &carol.id).unwrap(), read);
    check::index(&life, &life.world).unwrap();
    let life = Life::open(life.world, life.disk.crash(), Default::default()).unwrap();
    assert_eq!(life.parts.reading.read_mark(&Room::GENERAL, &carol.id).unwrap(), read);
    check::index(&life, &life.world).unwrap();
}

#[test]
fn what_is_mostly_needed_is_left_alone_and_a_quiet_journal_is_not_read_again() {
    let (disk, index, watch) = (SimDisk::new(12), MemoryKv::default(), Arc::<Watch>::default());
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut life = Life::open_on(Arc::new(SimWorld::new(12)), disk, index, on, kv).unwrap();
    let (_, bob) = life.user("bob", &[Role::User]);
    let (_, carol) = life.user("carol", &[Role::User]);
    talk(&mut life, &bob, &[&Room::GENERAL], 600);
    let before = segments(&life);
    let mut rounds = Rounds::new(Retention::default());
    let mut costs = |life: &mut Life, looks: usize| {
        let before = watch.cost();
        (0..looks).for_each(|_| _ = look(life, &mut rounds));
        watch.cost() - before
    };
    let gone_through = costs(&mut life, before.len());
    assert_eq!(segments(&life), before, "nothing is won there");
    let quiet = costs(&mut life, before.len());
    assert!(quiet * 3 < gone_through, "{gone_through} {quiet}");
    reads_on(&mut life, &bob, &carol, 1_000);
    let anew = costs(&mut life, before.len());
    assert!(anew > 3 * quiet, "{quiet} {anew}: it has grown");
}
