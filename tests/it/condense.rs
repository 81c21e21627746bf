//! Condensing a node's journal: what was taken back is gone from the disk, and nothing else is gone from the node.

use crate::harness::life::{Life, words};
use crate::sim::check;
use linnet::base::id::MessageId;
use linnet::base::limits::DELETIONS_TOLD_MS;
use linnet::base::world::World;
use linnet::chat::message::{Draft, Message};
use linnet::chat::name::{Name, Text};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::condense::Scope;
use linnet::node::history::Stretch;
use linnet::node::rooms::NewRoom;
use linnet::node::trim::Retention;
use linnet::node::{Books, Caller, Catalog};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::journal;

fn holds(disk: &SimDisk, text: &str) -> bool {
    disk.list(journal::FOLDER).unwrap().iter().any(|name| {
        let file = disk.open(&format!("{}/{name}", journal::FOLDER)).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn say(life: &mut Life, caller: &Caller, text: &str) -> Message {
    life.world.pass_ms(10);
    life.call(|n| n.post_message(caller, &Room::GENERAL, words(text))).unwrap()
}

/// Enough talk to fill some segments.
fn chatter(life: &mut Life, caller: &Caller, messages: usize) -> Vec<Message> {
    (0..messages)
        .map(|number| say(life, caller, &format!("chatter {number} {}", "drip ".repeat(30))))
        .collect()
}

/// The index is what the journal gives, after a power cut too; the life goes on from there.
fn rebuilt(life: Life) -> Life {
    check::index(&life, &life.world).unwrap();
    let life = Life::open(life.world, life.disk.crash(), Default::default()).unwrap();
    check::index(&life, &life.world).unwrap();
    life
}

fn newest(life: &Life, caller: &Caller) -> Vec<Message> {
    let reading = &life.parts.reading;
    let (_, granted) = reading.room_for(&reading.actor(caller).unwrap(), "general").unwrap();
    let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 100 };
    reading.history(&granted.permit, stretch).unwrap().messages
}

#[test]
fn what_was_deleted_or_edited_leaves_the_disk_and_the_rest_stays() {
    let mut life = Life::begin(1);
    let (_, bob) = life.user("bob", &[Role::User]);
    let secret = say(&mut life, &bob, "the key lies under the mat");
    let typo = say(&mut life, &bob, "my password is swordfish");
    chatter(&mut life, &bob, 200);
    let late = say(&mut life, &bob, "nobody saw me at the pond");
    life.call(|n| n.delete_message(&bob, &secret.id)).unwrap();
    life.call(|n| n.edit_message(&bob, &typo.id, Text::parse("never mind").unwrap())).unwrap();
    life.call(|n| n.delete_message(&bob, &late.id)).unwrap();
    let before = newest(&life, &bob);
    let gone = ["under the mat", "swordfish", "at the pond"];
    assert!(gone.iter().all(|text| holds(&life.disk, text)));

    let given = life.condense(Scope::Unwanted(life.world.wall_ms())).unwrap();
    assert!(given.changes >= 3 && given.bytes > 0, "{given:?}");
    assert!(!gone.iter().any(|text| holds(&life.disk, text)), "old words are still on the disk");
    assert_eq!(newest(&life, &bob), before);
    let mut life = rebuilt(life);
    assert_eq!(newest(&life, &bob), before);
    assert_eq!(life.parts.reading.message(&secret.id).unwrap(), None);
    let shown = life.parts.reading.message(&typo.id).unwrap().unwrap();
    assert_eq!(shown.text.as_str(), "never mind");
    life.call(|n| n.edit_message(&bob, &typo.id, Text::parse("once more").unwrap())).unwrap();
    assert_eq!(life.condense(Scope::Unwanted(0)).unwrap().changes, 0, "nothing is due yet");
    assert!(holds(&life.disk, "never mind"));
    life.condense(Scope::All).unwrap();
    assert!(!holds(&life.disk, "never mind"));
    rebuilt(life);
}

#[test]
fn who_was_shut_out_stays_out_when_the_journal_forgets_it() {
    let mut life = Life::begin(2);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let (bob, as_bob) = life.user("bob", &[Role::User]);
    let (mallory, as_mallory) = life.user("mallory", &[Role::User]);
    let mut new = NewRoom::named(RoomKind::Private, Name::fixed("greenhouse"));
    new.members = vec![bob.id.clone(), mallory.id.clone()];
    let room = life.call(|n| n.create_room(&alice, new)).unwrap();
    life.call(|n| n.kick(&alice, &room.id, &mallory.id)).unwrap();
    life.call(|n| n.remove_user(&alice, &bob.id)).unwrap();
    let shed =
        life.call(|n| n.create_room(&alice, NewRoom::named(RoomKind::Public, Name::fixed("shed")))).unwrap();
    life.call(|n| n.remove_room(&alice, &shed.id)).unwrap();
    let said = say(&mut life, &alice, "gone tomorrow");
    life.call(|n| n.delete_message(&alice, &said.id)).unwrap();
    chatter(&mut life, &alice, 200);
    let removals = |life: &Life| {
        let scan = life.parts.reading.journal().scan(Default::default(), life.parts.reading.journal().end());
        let tag = |payload: &[u8]| u16::from_le_bytes([payload[0], payload[1]]);
        scan.filter(|found| [12, 22, 32, 42].contains(&tag(&found.as_ref().unwrap().1.payload))).count()
    };
    assert_eq!(removals(&life), 4);
    life.world.pass_ms(DELETIONS_TOLD_MS + 1);
    for _ in 0..2 {
        life.condense(Scope::All).unwrap();
        let reading = &life.parts.reading;
        assert_eq!(removals(&life), 0, "nothing older is left that they took away");
        assert!(reading.membership(&room.id, &mallory.id).unwrap().is_none());
        assert!(reading.actor(&as_bob).is_err() && reading.user(&bob.id).unwrap().is_none());
        assert!(reading.room_for(&reading.actor(&as_mallory).unwrap(), "greenhouse").is_err());
        assert!(reading.room_named("shed").unwrap().is_none());
        assert_eq!(reading.message(&said.id).unwrap(), None);
        life = rebuilt(life);
    }
}

#[test]
fn a_removal_stays_while_something_older_needs_it() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let (mallory, _) = life.user("mallory", &[Role::User]);
    chatter(&mut life, &alice, 100);
    life.call(|n| n.kick(&alice, &Room::GENERAL, &mallory.id)).unwrap();
    let said = say(&mut life, &alice, "a word too much");
    chatter(&mut life, &alice, 100);
    life.call(|n| n.delete_message(&alice, &said.id)).unwrap();
    life.world.pass_ms(DELETIONS_TOLD_MS + 1);
    // Only the segments with unwanted words: those before still say that mallory came in.
    let segments = life.parts.reading.journal().segments();
    let first = &segments[0];
    life.condense(Scope::Unwanted(life.world.wall_ms())).unwrap();
    let now = life.parts.reading.journal().segments();
    assert!(now[0] == *first && now.iter().any(|segment| segment.generation > 0), "{now:?}");
    let life = rebuilt(life);
    assert!(life.parts.reading.membership(&Room::GENERAL, &mallory.id).unwrap().is_none());
    assert_eq!(life.parts.reading.message(&said.id).unwrap(), None);
}

#[test]
fn a_retry_gets_no_second_message_whatever_was_condensed() {
    let mut life = Life::begin(4);
    let (_, bob) = life.user("bob", &[Role::User]);
    let own = |id: &str, text: &str| Draft { id: MessageId::parse(id), ..words(text) };
    let post = |life: &mut Life, id: &str, text: &str| {
        life.call(|n| n.post_message(&bob, &Room::GENERAL, own(id, text)))
    };
    let kept = post(&mut life, "own-kept", "as it was").unwrap();
    let edited = post(&mut life, "own-edited", "first").unwrap();
    let deleted = post(&mut life, "own-deleted", "not for long").unwrap();
    life.call(|n| n.edit_message(&bob, &edited.id, Text::parse("second").unwrap())).unwrap();
    life.call(|n| n.delete_message(&bob, &deleted.id)).unwrap();
    chatter(&mut life, &bob, 200);
    for again in 0..3 {
        life.condense(Scope::All).unwrap();
        let count = life.parts.reading.room_tail(&Room::GENERAL).unwrap().unwrap().count;
        assert_eq!(post(&mut life, "own-kept", "as it was"), Ok(kept.clone()), "{again}");
        assert_eq!(post(&mut life, "own-edited", "first"), Err(Refusal::MessageIdTaken), "{again}");
        assert_eq!(post(&mut life, "own-deleted", "not for long"), Err(Refusal::MessageIdTaken), "{again}");
        assert_eq!(life.parts.reading.room_tail(&Room::GENERAL).unwrap().unwrap().count, count);
        let found = life.parts.reading.message(&edited.id).unwrap().unwrap();
        assert_eq!(found.text.as_str(), "second");
        life = rebuilt(life);
    }
}

#[test]
fn every_message_is_found_by_its_id_after_its_segment_was_rewritten() {
    let mut life = Life::begin(5);
    let (_, bob) = life.user("bob", &[Role::User]);
    let all = chatter(&mut life, &bob, 700);
    for message in all.iter().step_by(3) {
        life.call(|n| n.delete_message(&bob, &message.id)).unwrap();
    }
    let files = life.disk.list(journal::FOLDER).unwrap().len();
    let given = life.condense(Scope::All).unwrap();
    assert!(given.bytes > 0 && life.disk.list(journal::FOLDER).unwrap().len() < files, "{given:?}");
    for (number, message) in all.iter().enumerate() {
        let expected = (number % 3 != 0).then_some(message);
        assert_eq!(life.parts.reading.message(&message.id).unwrap().as_ref(), expected, "{number}");
    }
    rebuilt(life);
}

#[test]
fn a_long_history_is_trimmed_and_numbers_times_and_marks_stay() {
    let mut life = Life::begin(6);
    let (bob, as_bob) = life.user("bob", &[Role::User]);
    life.call(|n| n.mark_read(&as_bob, &Room::GENERAL, None)).unwrap();
    let (carol, as_carol) = life.user("carol", &[Role::User]);
    life.call(|n| n.mark_read(&as_bob, &Room::GENERAL, None)).unwrap();
    let all = chatter(&mut life, &as_bob, 700);
    life.call(|n| n.mark_read(&as_carol, &Room::GENERAL, Some(600))).unwrap();
    let marks = |life: &Life| {
        [&bob.id, &carol.id].map(|user| life.parts.reading.read_mark(&Room::GENERAL, user).unwrap())
    };
    let read = marks(&life);
    assert_eq!(read[0].count, 702, "bob has read his own words");
    let size = |life: &Life| {
        let files = life.disk.list(journal::FOLDER).unwrap().into_iter();
        let length = |name| life.disk.open(&format!("{}/{name}", journal::FOLDER)).unwrap().len().unwrap();
        files.map(length).sum::<u64>()
    };
    let before = size(&life);
    for (first, all_of_it) in [(100, false), (500, false), (640, true), (690, true)] {
        while life.call(|n| n.trim_room(&Room::GENERAL, first)).unwrap() {}
        let scope = if all_of_it { Scope::All } else { Scope::Unwanted(u64::MAX) };
        life.condense(scope).unwrap();
        let reading = &life.parts.reading;
        let tail = reading.room_tail(&Room::GENERAL).unwrap().unwrap();
        // Two came in before the chatter began.
        assert_eq!((tail.count, tail.at), (702, all[699].at), "{first}");
        let gone = first as usize - 2;
        assert_eq!(reading.message(&all[gone - 1].id).unwrap(), None, "{first}");
        assert_eq!(reading.message(&all[gone].id).unwrap().as_ref(), Some(&all[gone]), "{first}");
        assert_eq!(marks(&life), read, "{first}");
        assert!(!holds(&life.disk, &format!("chatter {} drip", gone - 1)), "{first}: words are on the disk");
        life = rebuilt(life);
    }
    let next = say(&mut life, &as_bob, "and on it goes");
    assert!(next.at >= all[699].at);
    assert!(size(&life) * 3 < before, "{} of {before}", size(&life));
    assert_eq!(newest(&life, &as_bob).len(), 13);
}

#[test]
fn retention_goes_by_trusted_time_and_by_size() {
    let mut life = Life::begin(7);
    let (_, bob) = life.user("bob", &[Role::User]);
    chatter(&mut life, &bob, 100);
    life.world.pass_ms(60_000);
    chatter(&mut life, &bob, 100);
    let kept = |life: &Life, retention: Retention| {
        retention.first_kept(&life.parts.reading, &Room::GENERAL).unwrap()
    };
    assert_eq!(kept(&life, Retention::default()), 0);
    assert_eq!(kept(&life, Retention { age_ms: Some(30_000), bytes: None }), 101);
    assert_eq!(kept(&life, Retention { age_ms: Some(3_000_000), bytes: None }), 0);
    // About 270 bytes each.
    let by_size = kept(&life, Retention { age_ms: None, bytes: Some(27_000) });
    assert!((80..120).contains(&by_size), "{by_size}");
}
