//! A disk that fills up under a running node: nothing acknowledged is lost, what takes away is done, readers are
//! served, and when there is room again everything goes on.

use crate::harness::life::{Life, words};
use crate::harness::small_disk::SmallDisk;
use linnet::base::id::Seq;
use linnet::base::limits::{DISK_LOOK_MS, DISK_WALL_MS};
use linnet::base::world::SimWorld;
use linnet::chat::change::What;
use linnet::chat::message::MessageKind;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::disk::make_room_to_open;
use linnet::node::health::TroubleKind;
use linnet::node::run::{Running, run};
use linnet::node::{Books, Caller, NodeHandle, Reading};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use std::sync::Arc;

const MIB: u64 = 1024 * 1024;

struct Stage {
    node: NodeHandle,
    running: Running,
    world: Arc<SimWorld>,
    sim: SimDisk,
    disk: SmallDisk,
    alice: Caller,
}

impl Stage {
    /// A node on a disk of 32 MiB, 2 of which are its floor.
    fn new(seed: u64) -> Stage {
        let (world, sim) = (Arc::new(SimWorld::new(seed)), SimDisk::new(seed));
        let disk = SmallDisk::new(sim.clone(), 32 * MIB);
        let mut life = open(&world, &sim, &disk);
        let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
        let (node, running) = run(life.parts, || panic!("the node failed")).unwrap();
        Stage { node, running, world, sim, disk, alice }
    }

    fn post(&self, text: &str) -> Result<linnet::base::id::MessageId, Refusal> {
        let (alice, draft) = (self.alice.clone(), words(text));
        let post = move |node: &mut linnet::node::Node| node.post_message(&alice, &Room::GENERAL, draft);
        self.node.call_blocking(&self.alice, post).map(|message| message.id)
    }

    fn said(&self) -> Vec<String> {
        self.node.read(|reading| Ok(said(reading))).unwrap()
    }

    fn stands(&self, kind: TroubleKind) -> bool {
        self.node.health.current().iter().any(|trouble| trouble.kind == kind)
    }

    /// Posts until it is refused because the disk is full; gives what was acknowledged.
    fn post_until_full(&self, prefix: &str) -> Vec<String> {
        let mut acknowledged = Vec::new();
        for number in 0..10_000 {
            let text = format!("{prefix}-{number} {}", "x".repeat(number % 900));
            match self.post(&text) {
                Ok(_) => acknowledged.push(text),
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::DiskFull);
                    return acknowledged;
                }
            }
        }
        panic!("the disk never filled");
    }
}

fn open(world: &Arc<SimWorld>, sim: &SimDisk, disk: &SmallDisk) -> Life {
    let index = MemoryKv::default();
    let kv = Box::new(index.clone());
    Life::open_on(world.clone(), sim.clone(), index, Arc::new(disk.clone()), kv).unwrap()
}

fn said(reading: &Reading) -> Vec<String> {
    let (mut texts, mut after) = (Vec::new(), Seq(0));
    loop {
        let actor = reading.actor(&Caller::Operator).unwrap();
        let (_, granted) = reading.room_for(&actor, "general").unwrap();
        let page = reading.messages_after(&granted.permit, after, 100).unwrap();
        let Some(last) = page.last() else { return texts };
        after = last.seq;
        let own = page.iter().filter(|message| message.kind == MessageKind::Said);
        texts.extend(own.map(|message| message.text.as_str().to_owned()));
    }
}

#[test]
fn below_the_floor_nothing_that_grows_is_taken_and_everything_else_is() {
    let stage = Stage::new(1);
    let first = stage.post("first").unwrap();
    stage.post("second").unwrap();
    stage.disk.leave(MIB);
    stage.world.pass_ms(DISK_LOOK_MS);
    // The look comes with the next group.
    stage.post("third").unwrap();
    assert_eq!(stage.post("fourth"), Err(Refusal::DiskFull));
    assert!(stage.stands(TroubleKind::DiskFull));
    let alice = stage.node.read(|reading| reading.actor(&stage.alice)).unwrap().user.id.clone();
    stage.node.call_blocking(&stage.alice, move |node| node.open_session(&alice)).unwrap();
    let name = stage.alice.clone();
    stage.node.call_blocking(&stage.alice, move |node| node.delete_message(&name, &first)).unwrap();
    assert_eq!(stage.said(), ["second", "third"]);
    // A little more than the floor is not enough: it would be refused and taken by turns.
    stage.disk.leave(2 * MIB + 64 * 1024);
    stage.world.pass_ms(DISK_LOOK_MS);
    assert_eq!(stage.post("fourth"), Err(Refusal::DiskFull));
    stage.disk.leave(6 * MIB);
    assert_eq!(stage.post("fourth"), Err(Refusal::DiskFull), "it looks once a second, not for every post");
    stage.world.pass_ms(DISK_LOOK_MS);
    stage.post("fourth").unwrap();
    assert!(!stage.stands(TroubleKind::DiskFull) && stage.stands(TroubleKind::DiskFilling));
    stage.running.stop().unwrap();
}

#[test]
fn the_owner_may_set_the_floor() {
    let stage = Stage::new(2);
    stage.node.disk.keep_free(Some(20 * MIB));
    stage.disk.leave(16 * MIB);
    stage.node.disk.look();
    assert_eq!(stage.post("no"), Err(Refusal::DiskFull));
    stage.node.disk.keep_free(None);
    stage.post("yes").unwrap();
    stage.running.stop().unwrap();
}

#[test]
fn a_write_that_finds_no_room_is_taken_back_and_the_node_goes_on() {
    let stage = Stage::new(3);
    let mut acknowledged = Vec::new();
    // It says that there is room, so every refusal here is a write that failed at another place.
    stage.disk.lie(true);
    for left in (0..24_000).step_by(400) {
        stage.disk.leave(left);
        acknowledged.extend(stage.post_until_full(&left.to_string()));
        assert!(stage.stands(TroubleKind::DiskFull));
        assert_eq!(stage.said(), acknowledged, "readers are served");
        stage.disk.leave(8 * MIB);
        stage.world.pass_ms(DISK_WALL_MS);
        let text = format!("after {left}");
        stage.post(&text).unwrap();
        acknowledged.push(text);
    }
    assert!(acknowledged.len() > 300, "{}", acknowledged.len());
    assert_eq!(stage.said(), acknowledged);
    stage.running.stop().unwrap();
    // The power goes: what the journal alone tells is the same.
    let life = open(&stage.world, &stage.sim.crash(), &SmallDisk::new(stage.sim.crash(), 32 * MIB));
    assert_eq!(life.report.journal.damage, []);
    assert_eq!(said(&life.parts.reading), acknowledged);
}

#[test]
fn those_who_post_at_once_into_a_full_disk_hear_the_truth() {
    let stage = Stage::new(4);
    stage.disk.lie(true);
    for round in 0..40u64 {
        stage.disk.leave(round * 150);
        let waiting: Vec<_> = (0..30)
            .map(|number| {
                let (alice, text) = (stage.alice.clone(), format!("{round}.{number}"));
                let draft = words(&text);
                let post = move |node: &mut linnet::node::Node| {
                    node.post_message(&alice, &Room::GENERAL, draft).map(drop)
                };
                (text, stage.node.send(&stage.alice, post).unwrap())
            })
            .collect();
        let mut acknowledged = Vec::new();
        for (text, answer) in waiting {
            match answer.wait().unwrap() {
                Ok(()) => acknowledged.push(text),
                Err(refusal) => assert_eq!(refusal, Refusal::DiskFull),
            }
        }
        let here = |text: &String| text.split('.').next() == Some(&round.to_string());
        let found: Vec<String> = stage.said().into_iter().filter(here).collect();
        assert_eq!(found, acknowledged);
        stage.disk.leave(8 * MIB);
        stage.world.pass_ms(DISK_WALL_MS);
        stage.post("there is room again").unwrap();
    }
    stage.running.stop().unwrap();
}

#[test]
fn a_start_on_a_full_disk_serves_readers_and_tells_of_itself_when_there_is_room() {
    for posts in 0..40 {
        let stage = Stage::new(5);
        let texts: Vec<String> = (0..posts).map(|number| format!("{number} {}", "y".repeat(500))).collect();
        texts.iter().for_each(|text| drop(stage.post(text).unwrap()));
        stage.running.stop().unwrap();
        // Nothing is free, also not what was reserved for the journal.
        let found = stage.sim.crash();
        let disk = SmallDisk::new(found.clone(), 32 * MIB);
        disk.leave(0);
        let mut life = open(&stage.world, &found, &disk);
        assert_eq!(said(&life.parts.reading), texts);
        let refused = life.call(|node| node.post_message(&stage.alice, &Room::GENERAL, words("no")));
        assert!(matches!(refused, Err(Refusal::DiskFull)));
        disk.leave(16 * MIB);
        stage.world.pass_ms(DISK_WALL_MS);
        let posted = life.call(|node| node.post_message(&stage.alice, &Room::GENERAL, words("yes"))).unwrap();
        let started = (1..posted.seq.0).rev().find_map(|seq| {
            let change = life.parts.reading.change_of(Seq(seq)).unwrap()?;
            matches!(change.what, What::Started { .. }).then_some(change.origin.moment.boot)
        });
        assert_eq!(started, Some(2), "after {posts} posts");
    }
}

#[test]
fn the_ballast_is_made_where_there_is_room_and_given_up_when_a_start_has_none() {
    let stage = Stage::new(6);
    let ballast = || stage.disk.open("ballast").map(|file| file.len().unwrap());
    stage.node.disk.tend();
    assert_eq!(ballast().unwrap(), 2 * MIB, "a sixteenth of the disk");
    stage.running.stop().unwrap();
    assert!(!make_room_to_open(&stage.disk).unwrap(), "there is room enough");
    stage.disk.leave(0);
    assert!(make_room_to_open(&stage.disk).unwrap());
    assert!(ballast().is_err());
    let again = open(&stage.world, &stage.sim, &stage.disk);
    again.parts.disk.tend();
    assert!(ballast().is_err(), "not while the disk is full");
    stage.disk.leave(16 * MIB);
    again.parts.disk.look();
    again.parts.disk.tend();
    assert_eq!(ballast().unwrap(), 2 * MIB);
}
