//! How people and devices come in, and how they are shut out.

use crate::harness::life::{Life, words};
use linnet::base::limits::OWNER_CODE_LIFE_MS;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::accounts::{ACCESS, LAN_GUESTS, NewUser, UserPatch};
use linnet::node::devices::Rights;
use linnet::node::history::Stretch;
use linnet::node::{Caller, Catalog};

const OPERATOR: Caller = Caller::Operator;

fn person(name: &'static str) -> NewUser {
    NewUser::person(Name::fixed(name), name, "$hash".into())
}

fn owner_code(life: &mut Life) -> String {
    life.call(|node| node.make_owner_code(&OPERATOR)).unwrap()
}

fn in_general(life: &Life) -> Vec<String> {
    let reading = &life.parts.reading;
    let actor = reading.actor(&OPERATOR).unwrap();
    let (_, granted) = reading.room_for(&actor, "general").unwrap();
    let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 50 };
    let page = reading.history(&granted.permit, stretch).unwrap();
    page.messages.iter().map(|message| message.text.as_str().to_owned()).collect()
}

#[test]
fn the_owner_code_works_once_and_the_room_says_who_used_it_and_from_where() {
    let mut life = Life::begin(1);
    let stale = owner_code(&mut life);
    let code = owner_code(&mut life);
    let claim =
        |life: &mut Life, code: &str, name| life.call(|node| node.claim(code, person(name), "192.168.1.7"));
    assert_eq!(claim(&mut life, &stale, "mallory"), Err(Refusal::CodeUnknown), "the newer one replaced it");
    assert_eq!(claim(&mut life, "aaaa-bbbb-cccc-dd", "mallory"), Err(Refusal::CodeUnknown));
    let alice = claim(&mut life, &code, "alice").unwrap();
    assert!(alice.is(Role::Admin));
    assert!(in_general(&life).contains(&"alice claimed this node from 192.168.1.7.".to_owned()));
    assert_eq!(claim(&mut life, &code, "mallory"), Err(Refusal::OwnerExists));
    assert_eq!(life.call(|node| node.make_owner_code(&OPERATOR)), Err(Refusal::OwnerExists));
}

#[test]
fn the_owner_code_ends_after_a_quarter_of_an_hour_also_across_a_restart() {
    let mut life = Life::begin(2);
    let code = owner_code(&mut life);
    life.world.pass_ms(OWNER_CODE_LIFE_MS - 1);
    let mut life = life.restart();
    assert_eq!(
        life.call(|node| node.claim(&code, person("alice"), "x").and(Err::<(), _>(Refusal::Busy))),
        Err(Refusal::Busy),
        "it is still good, and taking the claim back makes it good again"
    );
    life.world.pass_ms(1);
    assert_eq!(life.call(|node| node.claim(&code, person("alice"), "x")), Err(Refusal::CodeUnknown));
}

#[test]
fn an_invitation_brings_in_as_many_as_it_says() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let code = life.call(|node| node.invite_by_code(&alice, &Room::GENERAL, None, 2)).unwrap();
    for name in ["bob", "carol"] {
        let user = life.call(|node| node.join_by_code(&code, person(name))).unwrap();
        assert!(user.is(Role::User) && !user.is(Role::Admin));
        assert!(life.parts.reading.membership(&Room::GENERAL, &user.id).unwrap().is_some());
    }
    assert_eq!(life.call(|node| node.join_by_code(&code, person("mallory"))), Err(Refusal::CodeUnknown));
    let owner = life.call(|node| node.invite_by_code(&alice, &Room::GENERAL, None, 1)).unwrap();
    assert_eq!(life.call(|node| node.claim(&owner, person("mallory"), "x")), Err(Refusal::OwnerExists));
}

#[test]
fn guests_come_in_only_while_the_owner_lets_them() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    let guest = |life: &mut Life, name| life.call(|node| node.add_guest(Name::fixed(name), name));
    assert_eq!(guest(&mut life, "gina"), Err(Refusal::GuestsNotLetIn));
    life.call(|node| node.change_setting(&alice, ACCESS, LAN_GUESTS)).unwrap();
    let gina = guest(&mut life, "gina").unwrap();
    let (token, _) = life.call(|node| node.open_session(&gina.id)).unwrap();
    let gina = Caller::with_token(&token);
    assert!(life.call(|node| node.post_message(&gina, &Room::GENERAL, words("hi"))).is_ok());
    assert!(life.call(|node| node.change_setting(&gina, ACCESS, "invite")).is_err());
    life.call(|node| node.change_setting(&alice, ACCESS, "invite")).unwrap();
    assert_eq!(guest(&mut life, "gus"), Err(Refusal::GuestsNotLetIn));
}

#[test]
fn a_new_password_ends_the_other_sessions_and_nobody_else_changes_it() {
    let mut life = Life::begin(5);
    let (bob, here) = life.user("bob", &[Role::User]);
    let (_, mallory) = life.user("mallory", &[Role::User]);
    let (token, _) = life.call(|node| node.open_session(&bob.id)).unwrap();
    let elsewhere = Caller::with_token(&token);
    let patch = || UserPatch { password: Some("$new".into()), ..UserPatch::default() };
    assert!(life.call(|node| node.change_user(&mallory, &bob.id, patch())).is_err());
    assert!(life.call(|node| node.post_message(&elsewhere, &Room::GENERAL, words("still here"))).is_ok());
    life.call(|node| node.change_user(&here, &bob.id, patch())).unwrap();
    let after = life.call(|node| node.post_message(&elsewhere, &Room::GENERAL, words("gone")));
    assert_eq!(after, Err(Refusal::TokenUnknown));
    assert!(life.call(|node| node.post_message(&here, &Room::GENERAL, words("here"))).is_ok());
}

#[test]
fn a_devices_key_does_what_it_was_made_for_and_ends_with_the_device() {
    let mut life = Life::begin(6);
    let both =
        life.call(|node| node.add_device(&OPERATOR, Name::fixed("sensor"), "garden", Rights::Both)).unwrap();
    let read =
        life.call(|node| node.add_device(&OPERATOR, Name::fixed("lamp"), "garden", Rights::Read)).unwrap();
    let (sensor, lamp) = (Caller::with_token(&both.key), Caller::with_token(&read.key));
    let garden = both.room.id.clone();
    assert!(life.call(|node| node.post_message(&sensor, &garden, words("door open"))).is_ok());
    assert!(life.call(|node| node.post_message(&lamp, &garden, words("no"))).is_err());
    assert_eq!(
        life.call(|node| node.post_message(&sensor, &Room::GENERAL, words("no"))),
        Err(Refusal::NoSuchRoom)
    );
    assert!(life.call(|node| node.change_setting(&sensor, ACCESS, LAN_GUESTS)).is_err());
    life.call(|node| node.remove_device(&OPERATOR, "sensor")).unwrap();
    let after = life.call(|node| node.post_message(&sensor, &garden, words("ghost")));
    assert_eq!(after, Err(Refusal::TokenUnknown));
}

#[test]
fn the_owner_and_the_nodes_own_user_cannot_be_locked_out() {
    let mut life = Life::begin(7);
    let code = owner_code(&mut life);
    let alice = life.call(|node| node.claim(&code, person("alice"), "x")).unwrap();
    let off = || UserPatch { active: Some(false), ..UserPatch::default() };
    assert_eq!(life.call(|node| node.change_user(&OPERATOR, &alice.id, off())), Err(Refusal::LastOwner));
    assert_eq!(life.call(|node| node.remove_user(&OPERATOR, &alice.id)), Err(Refusal::LastOwner));
    let node_user = linnet::node::caller::NODE_USER;
    assert!(life.call(|node| node.change_user(&OPERATOR, &node_user, off())).is_err());
    assert!(life.call(|node| node.remove_user(&OPERATOR, &node_user)).is_err());
    assert!(life.call(|node| node.make_owner_code(&OPERATOR)) == Err(Refusal::OwnerExists));
}
