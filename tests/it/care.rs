//! The care for the disk: each room is kept as long as its rule says, and space comes back by itself.

mod compact;
mod direct;
mod disk;
mod thread;
mod unread;
mod waste;

use crate::harness::life::{Life, words};
use crate::harness::process::Process;
use crate::program::Desk;
use crate::sim::check;
use linnet::base::id::RoomId;
use linnet::base::world::Keeper;
use linnet::chat::name::Name;
use linnet::chat::refusal::{Refusal, Right};
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::rooms::NewRoom;
use linnet::node::rounds::Rounds;
use linnet::node::trim::{Retention, Rule};
use linnet::node::{Caller, Catalog};
use linnet::store::keys;
use serde_json::Value;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

fn room(life: &mut Life, caller: &Caller, name: &'static str) -> RoomId {
    let new = NewRoom::named(RoomKind::Public, Name::fixed(name));
    life.call(|n| n.create_room(caller, new)).unwrap().id.clone()
}

fn talk(life: &mut Life, caller: &Caller, rooms: &[&RoomId], messages: usize) {
    for number in 0..messages {
        life.world.pass_ms(10);
        for room in rooms {
            let text = format!("number {number} {}", "drip ".repeat(20));
            life.call(|n| n.post_message(caller, room, words(&text))).unwrap();
        }
    }
}

/// How many messages of a room are there, and how many there ever were.
fn kept(life: &Life, room: &RoomId) -> (u64, u64) {
    let reading = &life.parts.reading;
    let count = reading.room_tail(room).unwrap().unwrap().count;
    let there = |number: &u64| {
        let (first, block) = reading.block_at(room, *number).unwrap()?;
        block.entries().get((*number - first) as usize).filter(|entry| entry.pos != 0).map(|_| ())
    };
    ((0..count).filter(|number| there(number).is_some()).count() as u64, count)
}

#[test]
fn each_room_is_kept_by_its_own_rule_and_all_others_by_the_nodes() {
    let mut life = Life::begin(1);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (_, carol) = life.user("carol", &[Role::User]);
    let (sensors, family) = (room(&mut life, &bob, "sensors"), room(&mut life, &bob, "family"));
    let forever = Some(Rule::default());
    let for_a_day = Some(Rule { days: 1, megabytes: 0 });
    let refused = life.call(|n| n.keep_room_by(&carol, &sensors, forever));
    assert_eq!(refused, Err(Refusal::NotAllowed(Right::ManageRoom)));
    life.call(|n| n.keep_room_by(&bob, &sensors, for_a_day)).unwrap();
    life.call(|n| n.keep_room_by(&Caller::Operator, &family, forever)).unwrap();
    let rooms = [&Room::GENERAL, &sensors, &family];
    talk(&mut life, &bob, &rooms, 100);
    let all = rooms.map(|room| kept(&life, room).0);
    life.world.pass_ms(DAY_MS * 3 / 2);
    talk(&mut life, &bob, &rooms, 10);

    let mut rounds = Rounds::new(Retention::from(Rule { days: 2, megabytes: 0 }));
    let is = |life: &Life| rooms.map(|room| kept(life, room).0);
    life.look(&mut rounds).unwrap();
    assert_eq!(is(&life), [all[0] + 10, 10, all[2] + 10]);
    life.world.pass_ms(DAY_MS);
    talk(&mut life, &bob, &rooms, 1);
    life.look(&mut rounds).unwrap();
    assert_eq!(is(&life), [11, 1, all[2] + 11]);
    check::index(&life, &life.world).unwrap();

    // The check is a start of its own that knows no time.
    life.world.set_keeper(Keeper::Battery);
    // What the journal says after a power cut holds as well.
    let mut life = Life::open(life.world, life.disk.crash(), Default::default()).unwrap();
    life.world.pass_ms(DAY_MS * 3);
    let mut rounds = Rounds::new(Retention::from(Rule { days: 2, megabytes: 0 }));
    life.look(&mut rounds).unwrap();
    assert_eq!(is(&life), [0, 0, all[2] + 11]);
    life.call(|n| n.keep_room_by(&bob, &family, None)).unwrap();
    life.call(|n| n.remove_room(&bob, &sensors)).unwrap();
    assert_eq!(life.parts.reading.setting(&keys::room_retention(&sensors)).unwrap(), None);
    life.look(&mut rounds).unwrap();
    assert_eq!(kept(&life, &family).0, 0, "it has no rule of its own any more");
    check::index(&life, &life.world).unwrap();
}

#[test]
fn a_rule_nobody_understands_takes_nothing_away() {
    let mut life = Life::begin(2);
    let (_, bob) = life.user("bob", &[Role::User]);
    talk(&mut life, &bob, &[&Room::GENERAL], 20);
    let name = keys::room_retention(&Room::GENERAL);
    life.call(|n| n.change_setting(&Caller::Operator, &name, r#"{"weeks":2}"#)).unwrap();
    life.world.pass_ms(DAY_MS * 100);
    let before = kept(&life, &Room::GENERAL);
    let mut rounds = Rounds::new(Retention::from(Rule { days: 1, megabytes: 0 }));
    life.look(&mut rounds).unwrap();
    assert_eq!(kept(&life, &Room::GENERAL), before);
}

#[test]
fn the_command_line_gives_a_room_its_rule_and_a_restart_keeps_it() {
    let desk = Desk::with(&[("linnet.toml", "[retention]\ndays = 90\n")]);
    let node = Process::start(&desk, "");
    desk.run("device add porch --room sensors");
    let asks = |words: &str| desk.run(&format!("room retention {words}")).out;
    assert_eq!(asks("sensors"), "sensors is kept for 90 days, as the node's settings say\n");
    let own = "sensors is kept for 30 days, up to about 50 MB, by a rule of its own\n";
    assert_eq!(asks("#sensors --days 30 --megabytes 50"), own);
    assert_eq!(asks("general --forever"), "general is kept for ever, by a rule of its own\n");
    node.kill();
    assert_eq!(asks("sensors"), own, "without a node, from the store");
    let node = Process::start(&desk, "");
    assert_eq!(asks("sensors"), own);
    let general: Value = serde_json::from_str(&asks("general --json")).unwrap();
    assert_eq!(general, serde_json::json!({"room": "general", "own": true, "days": 0, "megabytes": 0}));
    assert_eq!(asks("sensors --default"), "sensors is kept for 90 days, as the node's settings say\n");
    assert_eq!(node.stop(), 0);
    assert_eq!(asks("sensors"), "sensors is kept as the node's settings say\n");
    for (words, says) in [
        ("sensors --days 0", "--days takes a whole number from 1, not '0'; --forever keeps everything"),
        ("sensors --days 3 --forever", "--forever, --default and a limit exclude each other"),
        ("sensors --forever --default", "--forever, --default and a limit exclude each other"),
    ] {
        let ran = desk.run(&format!("room retention {words}"));
        assert_eq!((ran.code, ran.err.contains(says)), (2, true), "{words}: {}", ran.err);
    }
    assert_eq!(desk.run("room retention nowhere").code, 1);
}
