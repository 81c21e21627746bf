//! A node on a machine without a clock: what it shows before and after somebody sets the time.

use crate::harness::life::{Life, words};
use linnet::base::id::{Seq, UserId};
use linnet::base::world::{Keeper, SimWorld, World};
use linnet::chat::message::Message;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::clock::Trust;
use linnet::node::devices::Rights;
use linnet::node::history::Stretch;
use linnet::node::rooms::NewRoom;
use linnet::node::{Books, Caller, Catalog};
use linnet::store::disk::SimDisk;
use linnet::store::index::memory::MemoryKv;
use std::sync::Arc;

const TRUTH: u64 = 1_780_000_000_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A machine that starts in 1970 and has nobody to ask.
fn without_clock(seed: u64) -> Life {
    let world = Arc::new(SimWorld::new(seed));
    forget_time(&world);
    Life::open(world, SimDisk::new(seed), MemoryKv::default()).unwrap()
}

fn forget_time(world: &SimWorld) {
    world.restart();
    world.set_wall_ms(5_000);
    world.set_keeper(Keeper::Nobody);
}

fn say(life: &mut Life, who: &Caller, text: &str) -> Message {
    life.world.pass_ms(MINUTE);
    life.call(|n| n.post_message(who, &Room::GENERAL, words(text))).unwrap()
}

/// The history of #general, oldest first, between two times.
fn between(life: &Life, who: &Caller, oldest: Option<u64>, latest: Option<u64>) -> Vec<Message> {
    let reading = &life.parts.reading;
    let (_, granted) = reading.room_for(&reading.actor(who).unwrap(), "general").unwrap();
    let stretch = Stretch { latest, oldest, inclusive: true, skip: 0, max: 100 };
    let mut page = reading.history(&granted.permit, stretch).unwrap().messages;
    page.retain(|message| message.kind == linnet::chat::message::MessageKind::Said);
    page.reverse();
    page
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

/// The times of the story below, minutes before the clock was set.
fn check_corrected(life: &Life, who: &Caller) {
    let said = between(life, who, None, None);
    let minutes: Vec<_> =
        said.iter().map(|m| (m.text.as_str(), m.at as i64 - TRUTH as i64, m.trusted)).collect();
    let before = |minutes: i64| -minutes * MINUTE as i64;
    let expected =
        [("first, edited", before(30), true), ("second", before(29), true), ("third", MINUTE as i64, true)];
    assert_eq!(minutes, expected);
    let edited = said[0].edited.as_ref().unwrap().0;
    assert_eq!((edited, said[0].touched), (TRUTH - 20 * MINUTE, TRUTH - 10 * MINUTE), "edited, then liked");
    assert_eq!(texts(&between(life, who, Some(TRUTH - 29 * MINUTE), Some(TRUTH))), ["second"]);
    assert_eq!(
        texts(&between(life, who, None, Some(TRUTH - DAY))),
        Vec::<&str>::new(),
        "nothing is from 1970"
    );
    let by_id = life.parts.reading.message(&said[1].id).unwrap().unwrap();
    assert_eq!(by_id, said[1]);
    let reading = &life.parts.reading;
    let (_, granted) = reading.room_for(&reading.actor(who).unwrap(), "general").unwrap();
    let since = reading.changed_since(&granted.permit, TRUTH - 15 * MINUTE).unwrap();
    assert_eq!(texts(&since.updated), ["first, edited", "third"]);
}

#[test]
fn what_was_said_before_the_clock_was_set_shows_when_it_was_said() {
    let mut life = without_clock(1);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let first = say(&mut life, &alice, "first");
    assert!(!first.trusted && first.at < DAY, "the node says what it does not know: {first:?}");
    say(&mut life, &alice, "second");
    life.world.pass_ms(9 * MINUTE);
    life.call(|n| n.edit_message(&alice, &first.id, words("first, edited").text)).unwrap();
    life.world.pass_ms(10 * MINUTE);
    life.call(|n| n.react(&alice, &first.id, "ok", Some(true))).unwrap();
    life.world.pass_ms(10 * MINUTE);
    let standing = life.call(|n| n.set_clock(&alice, TRUTH)).unwrap();
    assert_eq!((standing.trust, standing.now.wall_ms), (Trust::Person, TRUTH));
    say(&mut life, &alice, "third");
    check_corrected(&life, &alice);
    let reading = &life.parts.reading;
    let (system, granted) = reading.room_for(&reading.actor(&alice).unwrap(), "system").unwrap();
    assert_eq!(
        texts(&reading.messages_after(&granted.permit, Seq(0), 9).unwrap()).last(),
        Some(&"Clock set by alice.")
    );
    assert_eq!(system.kind, RoomKind::Private);
    let world = life.world.clone();
    let again = life.restart();
    check_corrected(&again, &alice);
    // The index is lost; the journal knows.
    let rebuilt = Life::open(world, again.disk, MemoryKv::default()).unwrap();
    check_corrected(&rebuilt, &alice);
}

#[test]
fn a_time_server_knows_better_than_a_person() {
    let mut life = without_clock(2);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    say(&mut life, &alice, "before anybody knew");
    life.call(|n| n.set_clock(&alice, TRUTH - DAY)).unwrap();
    say(&mut life, &alice, "by alice's watch");
    life.world.pass_ms(MINUTE);
    life.world.serve_time(TRUTH);
    say(&mut life, &alice, "by the server");
    let said = between(&life, &alice, None, None);
    let ago: Vec<_> = said.iter().map(|message| message.at as i64 - TRUTH as i64).collect();
    assert_eq!(ago, [-2, -1, 1].map(|minutes| minutes * MINUTE as i64), "{said:?}");
    assert_eq!(life.call(|n| n.set_clock(&alice, TRUTH)), Err(Refusal::ClockKnown));
}

#[test]
fn sessions_and_codes_outlive_the_leap_out_of_1970() {
    let mut life = without_clock(3);
    let code = life.call(|n| n.make_owner_code(&Caller::Operator)).unwrap();
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    forget_time(&life.world);
    let mut life = life.restart();
    let invited = life.call(|n| {
        let ends = n.now().wall_ms + DAY;
        n.invite_by_code(&alice, &Room::GENERAL, Some(ends), 1)
    });
    let invited = invited.unwrap();
    life.world.pass_ms(MINUTE);
    life.world.serve_time(TRUTH);
    say(&mut life, &alice, "alice is still here, a session of the start before");
    assert_eq!(life.parts.reading.code_is_good(&invited), Ok(()));
    assert_eq!(
        life.parts.reading.code_is_good(&code),
        Err(Refusal::CodeUnknown),
        "it was for a quarter of an hour"
    );
    let days = |life: &mut Life, days: u64| {
        life.world.pass_ms(days * DAY);
        life.parts.reading.actor(&alice).map(drop)
    };
    assert_eq!(days(&mut life, 89), Ok(()));
    assert_eq!(life.parts.reading.code_is_good(&invited), Err(Refusal::CodeUnknown));
    assert_eq!(days(&mut life, 2), Err(Refusal::TokenUnknown), "from then on it lives as long as any");
}

#[test]
fn a_clock_that_leaps_takes_nobody_s_session() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let start = say(&mut life, &alice, "before").at;
    for leap in [start + 3_650 * DAY, start - 365 * DAY, 0] {
        life.world.set_wall_ms(leap);
        let message = say(&mut life, &alice, "after a leap");
        assert!(message.trusted && message.at.abs_diff(start) < DAY, "{message:?}");
    }
    // The battery keeps saying so after a restart: nobody knows any more.
    life.world.set_wall_ms(start + 3_650 * DAY);
    let mut life = life.restart();
    let message = say(&mut life, &alice, "after a start");
    assert!(!message.trusted && message.at.abs_diff(start) < DAY, "{message:?}");
    let said = between(&life, &alice, None, None);
    assert!(said.is_sorted_by_key(|message| message.at), "{said:?}");
}

/// When #shed was made and bob joined it, and when the porch was last heard, in minutes before the clock was set.
fn check_dates(life: &Life, bob: &UserId, porch: &UserId) {
    let reading = &life.parts.reading;
    let shed = reading.room_named("shed").unwrap().unwrap();
    let joined = reading.membership(&shed.id, bob).unwrap().unwrap().joined;
    let heard = reading.heard_of(porch).unwrap().unwrap();
    let general = reading.room(&Room::GENERAL).unwrap().unwrap();
    let ago = [shed.created, joined, heard].map(|at| (TRUTH as i64 - at as i64) / MINUTE as i64);
    assert_eq!(ago, [30, 20, 9], "{shed:?}");
    assert!(general.created <= shed.created && general.created > TRUTH - 60 * MINUTE, "{general:?}");
}

#[test]
fn rooms_memberships_and_devices_show_when_they_were_made_and_heard() {
    let mut life = without_clock(5);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (bob, _) = life.user("bob", &[Role::User]);
    life.world.pass_ms(10 * MINUTE);
    let shed = NewRoom::named(RoomKind::Private, Name::fixed("shed"));
    let shed = life.call(|n| n.create_room(&alice, shed)).unwrap();
    let added = life.call(|n| n.add_device(&alice, Name::fixed("porch"), "shed", Rights::Both)).unwrap();
    assert_eq!(life.parts.reading.heard_of(&added.user.id), Ok(None), "it said nothing yet");
    life.world.pass_ms(10 * MINUTE);
    life.call(|n| n.invite(&alice, &shed.id, std::slice::from_ref(&bob.id))).unwrap();
    // A watch that is a day slow; then the server comes.
    life.call(|n| n.set_clock(&alice, TRUTH - DAY)).unwrap();
    let porch = Caller::with_token(&added.key);
    for text in ["open", "shut"] {
        life.world.pass_ms(5 * MINUTE + 30_000);
        life.call(|n| n.post_message(&porch, &shed.id, words(text))).unwrap();
    }
    // Nine minutes after the porch was heard, thirty after the room was made.
    life.world.pass_ms(9 * MINUTE);
    life.world.serve_time(TRUTH);
    life.call(|n| n.post_message(&alice, &shed.id, words("hello"))).unwrap();
    check_dates(&life, &bob.id, &added.user.id);
    let world = life.world.clone();
    let again = life.restart();
    check_dates(&again, &bob.id, &added.user.id);
    let rebuilt = Life::open(world.clone(), again.disk, MemoryKv::default()).unwrap();
    check_dates(&rebuilt, &bob.id, &added.user.id);
    // A clock that a hand sets back: nobody was heard later than now.
    let mut rebuilt = rebuilt;
    let ahead = rebuilt.world.wall_ms() + 1_000;
    rebuilt.call(|n| n.post_message(&porch, &shed.id, words("knock"))).unwrap();
    rebuilt.world.set_wall_ms(ahead - 2 * MINUTE);
    let now = rebuilt.parts.reading.now().wall_ms;
    assert!(rebuilt.parts.reading.heard_of(&added.user.id).unwrap().unwrap() <= now);
}

#[test]
fn a_future_that_was_wrong_is_not_believed_for_ever() {
    let far = TRUTH + 20_000 * DAY;
    let world = Arc::new(SimWorld::new(6));
    world.set_wall_ms(far);
    let mut life = Life::open(world.clone(), SimDisk::new(6), MemoryKv::default()).unwrap();
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let wrong = say(&mut life, &alice, "by a battery of 2081");
    assert!(wrong.trusted && wrong.at >= far, "nobody knew better: {wrong:?}");
    world.restart();
    world.serve_time(TRUTH);
    let mut life = life.restart();
    let shed = NewRoom::named(RoomKind::Private, Name::fixed("shed"));
    let shed = life.call(|n| n.create_room(&alice, shed)).unwrap();
    let created = shed.created;
    assert!(created.abs_diff(TRUTH) < DAY, "{created}");
    let hears = |life: &mut Life| {
        life.world.pass_ms(MINUTE);
        life.call(|n| n.post_message(&alice, &shed.id, words("elsewhere"))).unwrap()
    };
    let said = hears(&mut life);
    assert!(said.trusted && said.at.abs_diff(TRUTH) < DAY, "{said:?}");
    let next = say(&mut life, &alice, "in the room of the wrong time");
    assert_eq!(
        next.at,
        between(&life, &alice, None, None)[0].at,
        "not before it, and not later than it must"
    );
    // The server is gone, and the battery is right now: the wrong time does not stand against it.
    world.restart();
    world.set_wall_ms(TRUTH + DAY);
    world.set_keeper(Keeper::Battery);
    let mut life = life.restart();
    let said = hears(&mut life);
    assert!(said.trusted && said.at.abs_diff(TRUTH + DAY) < DAY, "{said:?}");
}
