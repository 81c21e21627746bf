//! What simulated lives have found, told once more without chance.

use super::check;
use crate::harness::kv::{Watch, WatchedKv};
use crate::harness::life::{Life, words};
use linnet::base::world::SimWorld;
use linnet::chat::name::Name;
use linnet::chat::refusal::{Refusal, Right};
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::accounts::{NewUser, UserPatch};
use linnet::node::caller::NODE_USER;
use linnet::node::rooms::NewRoom;
use linnet::node::{Caller, Catalog};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use std::sync::Arc;

fn watched(seed: u64) -> (Life, Arc<Watch>) {
    let (index, watch, disk) = (MemoryKv::default(), Arc::<Watch>::default(), SimDisk::new(seed));
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    (Life::open_on(Arc::new(SimWorld::new(seed)), disk, index, on, kv).unwrap(), watch)
}

/// Power goes in the middle of a checkpoint, after so many of its batches; then the node starts again.
fn cut_in_checkpoint(life: Life, watch: &Watch, batches: u64) -> Life {
    watch.fail_at(batches + 1);
    assert!(life.parts.settled.checkpoint().is_err(), "the checkpoint has more batches");
    let world = life.world.clone();
    let life = Life::open(life.world, life.disk.crash(), life.index.crash(usize::MAX)).unwrap();
    check::index(&life, &world).unwrap();
    life
}

fn person(name: &str) -> NewUser {
    NewUser::person(Name::parse(name).unwrap(), "", "".into())
}

#[test]
fn a_former_name_is_free_whenever_a_checkpoint_was_cut() {
    for batches in 1..5 {
        let (mut life, watch) = watched(batches);
        let (zoe, _) = life.user("zoe", &[Role::User]);
        life.parts.settled.checkpoint().unwrap();
        let patch = UserPatch { username: Some(Name::fixed("rob")), ..UserPatch::default() };
        life.call(|n| n.change_user(&Caller::Operator, &zoe.id, patch)).unwrap();
        // Enough for several batches, with her name after the first.
        for number in 0..100 {
            life.call(|n| n.add_user(&Caller::Operator, person(&format!("visitor-{number}")))).unwrap();
        }
        let mut life = cut_in_checkpoint(life, &watch, batches);
        assert!(life.parts.reading.user_named("zoe").unwrap().is_none(), "{batches} batches");
        life.call(|n| n.add_user(&Caller::Operator, person("zoe"))).unwrap();
    }
}

#[test]
fn a_removed_room_leaves_no_mark_behind_when_a_checkpoint_was_cut() {
    let (mut life, watch) = watched(292);
    let (_, bob) = life.user("bob", &[Role::User]);
    let new = NewRoom::named(RoomKind::Private, Name::fixed("shed"));
    let room = life.call(|n| n.create_room(&bob, new)).unwrap();
    life.call(|n| n.post_message(&bob, &room.id, words("hello"))).unwrap();
    life.parts.settled.checkpoint().unwrap();
    life.call(|n| n.mark_read(&bob, &room.id, Some(0))).unwrap();
    life.call(|n| n.remove_room(&bob, &room.id)).unwrap();
    cut_in_checkpoint(life, &watch, 1);
}

#[test]
fn who_was_away_hears_everything_although_the_clock_was_set_back() {
    let mut life = Life::begin(4);
    let (_, bob) = life.user("bob", &[Role::User]);
    let say = |life: &mut Life, text: &str| {
        life.world.pass_ms(10);
        life.call(|n| n.post_message(&bob, &Room::GENERAL, words(text))).unwrap()
    };
    let early = say(&mut life, "early");
    let start = linnet::base::world::World::wall_ms(&*life.world);
    life.world.set_wall_ms(start + 3_600_000);
    let known = say(&mut life, "by a clock that runs an hour ahead");
    life.world.set_wall_ms(start + 1_000);
    let later = say(&mut life, "after it was set right");
    life.call(|n| n.delete_message(&Caller::Operator, &early.id)).unwrap();
    let reading = &life.parts.reading;
    let (_, granted) = reading.room_for(&reading.actor(&bob).unwrap(), "general").unwrap();
    let since = reading.changed_since(&granted.permit, known.at).unwrap();
    assert!(since.updated.iter().any(|message| message.id == later.id));
    assert!(since.removed.iter().any(|(id, _)| *id == early.id));
}

#[test]
fn the_node_s_own_user_cannot_be_taken_from_it() {
    let mut life = Life::begin(5);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let patch = UserPatch { active: Some(false), ..UserPatch::default() };
    let refused = Refusal::NotAllowed(Right::ManageUsers);
    assert_eq!(life.call(|n| n.remove_user(&alice, &NODE_USER)), Err(refused.clone()));
    assert_eq!(life.call(|n| n.change_user(&alice, &NODE_USER, patch)).err(), Some(refused));
    // It still speaks where somebody comes in.
    let (_, bob) = life.user("bob", &[Role::User]);
    life.call(|n| n.leave_room(&bob, &Room::GENERAL)).unwrap();
    life.call(|n| n.join_room(&bob, &Room::GENERAL)).unwrap();
}
