//! #system: made when there is something to tell, for whoever runs the node and for nobody else.

use crate::harness::life::{Life, words};
use linnet::base::id::RoomId;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::UserPatch;
use linnet::node::health::{News, Trouble, TroubleKind};
use linnet::node::history::Stretch;
use linnet::node::rooms::{NewRoom, RoomPatch};
use linnet::node::{Caller, Catalog};
use std::sync::Arc;

const ALL: Stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 100 };

fn noted(troubles: &[(TroubleKind, &str)]) -> News {
    let noted = troubles.iter().map(|(kind, text)| Trouble { kind: *kind, text: (*text).into() });
    News { noted: noted.collect(), over: Vec::new() }
}

fn tell(life: &mut Life, news: &News) {
    life.call(|node| node.tell_troubles(&Caller::Operator, news)).unwrap();
}

/// The room the node tells in, by what it says there.
fn system(life: &Life) -> Option<Arc<Room>> {
    let rooms = life.parts.reading.rooms(None, 100).unwrap();
    rooms.into_iter().find(|room| room.topic.contains("those who run it"))
}

/// What this caller reads there, oldest first.
fn read(life: &Life, caller: &Caller) -> Result<Vec<String>, Refusal> {
    let room = system(life).unwrap();
    let reading = &life.parts.reading;
    let granted = reading.may_read(&reading.actor(caller)?, &room)?;
    let page = reading.history(&granted.permit, ALL)?;
    Ok(page.messages.iter().rev().map(|message| message.text.as_str().to_owned()).collect())
}

fn set_roles(life: &mut Life, who: &Caller, roles: &[Role]) {
    let id = life.parts.reading.actor(who).unwrap().user.id.clone();
    let patch = UserPatch { roles: Some(Roles::of(roles)), ..UserPatch::default() };
    life.call(|node| node.change_user(&Caller::Operator, &id, patch)).unwrap();
}

const FULL: (TroubleKind, &str) = (TroubleKind::DiskFull, "no room");
const REBUILT: (TroubleKind, &str) = (TroubleKind::IndexRebuilt, "built anew");

#[test]
fn a_trouble_is_told_to_all_who_run_the_node_and_to_nobody_else() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (_, moderator) = life.user("moderator", &[Role::Moderator, Role::User]);
    assert!(system(&life).is_none(), "it is made when it is needed");
    tell(&mut life, &noted(&[FULL]));
    assert_eq!(read(&life, &alice).unwrap(), ["Error: no room"]);
    for stranger in [&bob, &moderator] {
        assert_eq!(read(&life, stranger), Err(Refusal::NoSuchRoom));
    }
    let told = life.parts.node.transact(|node| node.tell_troubles(&bob, &noted(&[FULL])));
    assert!(matches!(told, Err(Refusal::NotAllowed(_))), "nobody tells in the node's name");
}

#[test]
fn who_comes_to_run_the_node_enters_and_who_ceases_to_leaves() {
    let mut life = Life::begin(2);
    tell(&mut life, &noted(&[FULL]));
    // The first owner comes when the room is there already.
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (_, bob) = life.user("bob", &[Role::User]);
    assert_eq!(read(&life, &alice).unwrap().len(), 1);
    set_roles(&mut life, &bob, &[Role::Admin, Role::User]);
    assert_eq!(read(&life, &bob).unwrap().len(), 1);
    set_roles(&mut life, &bob, &[Role::User]);
    assert_eq!(read(&life, &bob), Err(Refusal::NoSuchRoom));
    assert_eq!(read(&life, &alice).unwrap().len(), 1, "the others stay");
}

#[test]
fn what_still_stands_after_a_restart_is_not_told_again_and_what_happens_anew_is() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for _ in 0..3 {
        tell(&mut life, &noted(&[FULL, REBUILT]));
        // Nothing but the journal survives.
        life = Life::open(life.world, life.disk, Default::default()).unwrap();
    }
    let rebuilt = "Warning: built anew";
    assert_eq!(read(&life, &alice).unwrap(), ["Error: no room", rebuilt, rebuilt, rebuilt]);
    tell(
        &mut life,
        &News { noted: Vec::new(), over: vec![TroubleKind::DiskFull, TroubleKind::BackupFailed] },
    );
    tell(&mut life, &noted(&[FULL]));
    let said = read(&life, &alice).unwrap();
    assert!(said[4].contains("room on the disk again") && said[5] == "Error: no room", "{said:?}");
}

#[test]
fn a_room_of_the_same_name_is_left_to_the_person_who_made_it() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (_, mallory) = life.user("mallory", &[Role::User]);
    let theirs = |name| NewRoom::named(RoomKind::Public, Name::fixed(name));
    let taken: Vec<RoomId> = ["system", "linnet-system"]
        .map(|name| life.call(|node| node.create_room(&mallory, theirs(name))).unwrap().id.clone())
        .into();
    tell(&mut life, &noted(&[FULL]));
    let room = system(&life).unwrap();
    assert!(!taken.contains(&room.id) && room.kind == RoomKind::Private);
    assert_eq!(read(&life, &alice).unwrap(), ["Error: no room"]);
    assert_eq!(read(&life, &mallory), Err(Refusal::NoSuchRoom));
}

#[test]
fn a_room_that_was_opened_or_removed_is_replaced_and_one_that_was_closed_is_left() {
    let mut life = Life::begin(5);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let (_, mallory) = life.user("mallory", &[Role::User]);
    tell(&mut life, &noted(&[REBUILT]));
    let first = system(&life).unwrap().id.clone();
    let patch =
        RoomPatch { kind: Some(RoomKind::Public), topic: Some("open".into()), ..RoomPatch::default() };
    life.call(|node| node.change_room(&alice, &first, patch)).unwrap();
    tell(&mut life, &noted(&[FULL]));
    let second = system(&life).unwrap().id.clone();
    assert!(first != second && read(&life, &mallory).is_err());
    life.call(|node| node.remove_room(&alice, &second)).unwrap();
    tell(&mut life, &noted(&[REBUILT]));
    let third = system(&life).unwrap().id.clone();
    assert_eq!(read(&life, &alice).unwrap(), ["Warning: built anew"]);
    let patch = RoomPatch { archived: Some(true), ..RoomPatch::default() };
    life.call(|node| node.change_room(&alice, &third, patch)).unwrap();
    tell(&mut life, &noted(&[REBUILT]));
    let general = life.call(|node| node.post_message(&alice, &Room::GENERAL, words("still here")));
    assert!(general.is_ok() && system(&life).unwrap().id == third);
}
