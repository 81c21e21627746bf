//! The node by itself: what was said is there, in order, after a restart.

use crate::harness::life::{Life, words};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::health::TroubleKind;
use linnet::node::history::Stretch;
use linnet::store::disk::{Disk, SimDisk};

const NEWEST: Stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 100 };

fn texts(life: &Life, caller: &linnet::node::Caller, stretch: Stretch) -> Vec<String> {
    let reading = &life.parts.reading;
    let actor = reading.actor(caller).unwrap();
    let (_, granted) = reading.room_for(&actor, "general").unwrap();
    let page = reading.history(&granted.permit, stretch).unwrap();
    page.messages.iter().map(|message| message.text.as_str().to_owned()).collect()
}

#[test]
fn what_was_said_is_there_after_a_restart_newest_first() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for number in 0..300 {
        life.world.pass_ms(10);
        life.call(|node| node.post_message(&alice, &Room::GENERAL, words(&format!("number {number}"))))
            .unwrap();
    }
    for again in 0..3 {
        let page = texts(&life, &alice, Stretch { skip: 200, max: 50, ..NEWEST });
        let expected: Vec<String> = (50..100).rev().map(|number| format!("number {number}")).collect();
        assert_eq!(page, expected, "start {again}");
        // The second time without a checkpoint: the journal alone must do.
        life =
            if again == 0 { life.restart() } else { Life::open(life.world, life.disk, life.index).unwrap() };
    }
    assert!(life.report.replayed > 0 && life.report.identity.boot == 4);
}

#[test]
fn pages_by_number_neither_overlap_nor_leave_one_out_where_messages_were_removed() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for number in 0..30 {
        let said = life.call(|node| node.post_message(&alice, &Room::GENERAL, words(&format!("{number}"))));
        if number % 3 == 0 {
            let id = said.unwrap().id;
            life.call(|node| node.delete_message(&alice, &id)).unwrap();
        }
    }
    let page = |skip| texts(&life, &alice, Stretch { skip, max: 7, ..NEWEST });
    let seen: Vec<String> = (0..28).step_by(7).flat_map(page).collect();
    let expected: Vec<String> = (0..30).rev().filter(|n| n % 3 != 0).map(|n| n.to_string()).collect();
    assert_eq!(seen[..expected.len()], expected, "{seen:?}");
}

#[test]
fn a_message_is_found_edited_and_removed_by_its_id() {
    let mut life = Life::begin(2);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (_, bob) = life.user("bob", &[Role::User]);
    let said = life.call(|node| node.post_message(&bob, &Room::GENERAL, words("helo"))).unwrap();
    for number in 0..600 {
        life.call(|node| node.post_message(&alice, &Room::GENERAL, words(&format!("{number}")))).unwrap();
    }
    let mut life = life.restart();
    let edit = |node: &mut linnet::node::Node| node.edit_message(&alice, &said.id, words("not mine").text);
    assert!(life.call(edit).is_err());
    life.call(|node| node.edit_message(&bob, &said.id, words("hello").text)).unwrap();
    life.call(|node| node.react(&alice, &said.id, ":wave:", None)).unwrap();
    let oldest = texts(&life, &alice, Stretch { skip: 600, max: 5, ..NEWEST });
    assert_eq!(oldest.first().map(String::as_str), Some("hello"));
    life.call(|node| node.delete_message(&alice, &said.id)).unwrap();
    assert!(!texts(&life, &alice, Stretch { skip: 600, max: 5, ..NEWEST }).contains(&"hello".to_owned()));
    assert!(matches!(life.call(|node| node.react(&alice, &said.id, "x", None)), Err(Refusal::NoSuchMessage)));
}

/// Breaks the bytes of these words in the journal.
fn break_words(disk: &SimDisk, words: &str) {
    for name in disk.list("journal").unwrap() {
        let file = disk.open(&format!("journal/{name}")).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        let found = bytes.windows(words.len()).position(|window| window == words.as_bytes());
        if let Some(at) = found {
            return file.write_at(b"#", at as u64).unwrap();
        }
    }
    panic!("{words} is nowhere");
}

#[test]
fn a_message_that_cannot_be_read_hides_no_other_and_is_told() {
    let mut life = Life::begin(5);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for number in 10..40 {
        life.call(|node| node.post_message(&alice, &Room::GENERAL, words(&format!("number {number}"))))
            .unwrap();
    }
    let life = life.restart();
    assert!(life.parts.health.current().is_empty());
    break_words(&life.disk, "number 17");
    let page = texts(&life, &alice, Stretch { max: 30, ..NEWEST });
    let expected: Vec<String> =
        (10..40).rev().filter(|number| *number != 17).map(|number| format!("number {number}")).collect();
    assert!(page.starts_with(&expected), "{page:?}");
    let troubles = life.parts.health.current();
    assert!(troubles.iter().any(|trouble| trouble.kind == TroubleKind::JournalDamaged), "{troubles:?}");
}

#[test]
fn a_refused_job_leaves_nothing_behind() {
    let mut life = Life::begin(3);
    let (_, bob) = life.user("bob", &[Role::User]);
    let before = life.parts.reading.newest();
    let answer = life.call(|node| {
        node.post_message(&bob, &Room::GENERAL, words("first half"))?;
        node.post_message(&bob, &Room::GENERAL, words("  "))
    });
    assert_eq!(answer, Err(Refusal::TextEmpty));
    life.call(|node| node.post_message(&bob, &Room::GENERAL, words("whole"))).unwrap();
    assert_eq!(texts(&life, &bob, NEWEST)[0], "whole");
    assert!(!texts(&life, &bob, NEWEST).contains(&"first half".to_owned()));
    assert_eq!(life.parts.reading.newest().0, before.0 + 1);
}

#[test]
fn a_repeat_with_the_same_id_gets_the_first_answer() {
    let mut life = Life::begin(4);
    let (_, bob) = life.user("bob", &[Role::User]);
    let mut draft = words("once");
    draft.id = linnet::base::id::MessageId::parse("my-own-id");
    let first = life.call(|node| node.post_message(&bob, &Room::GENERAL, draft.clone())).unwrap();
    let mut life = life.restart();
    let second = life.call(|node| node.post_message(&bob, &Room::GENERAL, draft.clone())).unwrap();
    assert_eq!(first, second);
    draft.text = words("twice").text;
    let third = life.call(|node| node.post_message(&bob, &Room::GENERAL, draft.clone()));
    assert_eq!(third, Err(Refusal::MessageIdTaken));
}
