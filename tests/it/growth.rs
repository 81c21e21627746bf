//! What people do often costs the same however much was said and however many are here: counted, not timed.

use crate::harness::kv::{Watch, WatchedKv};
use crate::harness::life::{Life, words};
use linnet::base::world::SimWorld;
use linnet::chat::message::Message;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::accounts::NewUser;
use linnet::node::history::Stretch;
use linnet::node::rooms::NewRoom;
use linnet::node::{Books, Caller, Node};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use std::sync::Arc;

const PAGE: Stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 50 };

/// Jobs of one group while something is built up.
const GROUP: usize = 200;

struct Town {
    life: Life,
    watch: Arc<Watch>,
    bob: Caller,
    middle: Option<Message>,
}

/// A node where so much was said in #general by bob, with so many people and rooms beside him.
fn town(messages: usize, people: usize, rooms: usize) -> Town {
    let (index, watch, disk) = (MemoryKv::default(), Arc::<Watch>::default(), SimDisk::new(1));
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut life = Life::open_on(Arc::new(SimWorld::new(1)), disk, index, on, kv).unwrap();
    let (_, bob) = life.user("bob", &[Role::User]);
    let mut middle = None;
    grow(&mut life, people, |n, number| {
        let name = Name::parse(&format!("visitor-{number}")).unwrap();
        n.add_user(&Caller::Operator, NewUser::person(name, "", "".into())).map(drop)
    });
    grow(&mut life, rooms, |n, number| {
        let name = Name::parse(&format!("room-{number}")).unwrap();
        n.create_room(&Caller::Operator, NewRoom::named(RoomKind::Public, name)).map(drop)
    });
    grow(&mut life, messages, |n, number| {
        let said = n.post_message(&bob, &Room::GENERAL, words("drip"))?;
        if number == messages / 2 {
            middle = Some(said);
        }
        Ok(())
    });
    life.parts.settled.checkpoint().unwrap();
    Town { life, watch, bob, middle }
}

fn grow(life: &mut Life, count: usize, mut more: impl FnMut(&mut Node, usize) -> Result<(), Refusal>) {
    for number in 0..count {
        life.world.pass_ms(1);
        life.parts.node.transact(|n| more(n, number)).unwrap();
        if number % GROUP == GROUP - 1 {
            life.settle().unwrap();
            life.parts.settled.checkpoint().unwrap();
        }
    }
    life.settle().unwrap();
}

/// Reads of the index that each of these takes.
fn costs(mut town: Town) -> Vec<(&'static str, u64)> {
    let middle = town.middle.take().unwrap();
    let (watch, bob) = (town.watch.clone(), town.bob.clone());
    let mut costs = Vec::new();
    let mut cost = |what: &'static str, act: &mut dyn FnMut(&mut Life)| {
        let before = watch.cost();
        act(&mut town.life);
        costs.push((what, watch.cost() - before));
        // What was written goes below again, so that the next one is counted in full.
        town.life.settle().unwrap();
        town.life.parts.settled.checkpoint().unwrap();
    };
    let general = |life: &Life| {
        let reading = &life.parts.reading;
        reading.room_for(&reading.actor(&bob).unwrap(), "GENERAL").unwrap().1.permit
    };
    cost("post", &mut |life| {
        life.parts.node.transact(|n| n.post_message(&bob, &Room::GENERAL, words("once more"))).unwrap();
    });
    cost("mark as read", &mut |life| {
        life.parts.node.transact(|n| n.mark_read(&bob, &Room::GENERAL, Some(7))).unwrap();
    });
    cost("newest page", &mut |life| {
        let page = life.parts.reading.history(&general(life), PAGE).unwrap();
        assert_eq!(page.messages.len(), 50);
    });
    cost("page in the middle", &mut |life| {
        let stretch = Stretch { skip: 400, ..PAGE };
        assert_eq!(life.parts.reading.history(&general(life), stretch).unwrap().messages.len(), 50);
    });
    cost("unread count", &mut |life| {
        let reading = &life.parts.reading;
        let actor = reading.actor(&bob).unwrap();
        assert!(reading.place_of(&Room::GENERAL, &actor.user.id).unwrap().unwrap().unread() > 400);
    });
    cost("unread counts of all rooms", &mut |life| {
        let reading = &life.parts.reading;
        assert_eq!(reading.places(&reading.actor(&bob).unwrap()).unwrap().len(), 1);
    });
    // These search by halving, so they may take a few steps more.
    cost("search: page by time", &mut |life| {
        let stretch = Stretch { latest: Some(middle.at), oldest: Some(middle.at - 100), ..PAGE };
        assert_eq!(life.parts.reading.history(&general(life), stretch).unwrap().messages.len(), 50);
    });
    cost("search: message by id", &mut |life| {
        assert!(life.parts.reading.message(&middle.id).unwrap().is_some());
    });
    cost("search: edit", &mut |life| {
        life.parts.node.transact(|n| n.edit_message(&bob, &middle.id, words("drop").text)).unwrap();
    });
    cost("search: react", &mut |life| {
        life.parts.node.transact(|n| n.react(&bob, &middle.id, "rain", None)).unwrap();
    });
    costs
}

/// Halvings between the small and the large history, for each of the at most four searches in one call; each
/// halving is a scan of one entry.
const STEPS_MORE: u64 = 4 * 2 * 5;

#[track_caller]
fn check(small: Town, large: Town) {
    for ((what, few), (_, many)) in costs(small).into_iter().zip(costs(large)) {
        let steps = if what.starts_with("search") { STEPS_MORE } else { 0 };
        assert!(2 * many <= 3 * few + 2 * steps, "{what}: {few} reads of the index grew to {many}");
        assert!(many > 0, "{what} was not counted");
    }
}

#[test]
fn a_long_history_costs_no_more_than_a_short_one() {
    check(town(1_000, 5, 5), town(50_000, 5, 5));
}

#[test]
fn many_people_and_rooms_cost_no_more_than_a_few() {
    check(town(1_000, 10, 10), town(1_000, 2_000, 1_000));
}
