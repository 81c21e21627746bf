//! Rooms as topics.

use super::client::{Client, Hello, packet, reason, text};
use super::stage::Stage;
use linnet::chat::device::{DeviceChange, Rooms};
use linnet::chat::message::Draft;
use linnet::chat::name::{Name, Text};
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::NewUser;
use linnet::node::rooms::RoomPatch;
use linnet::node::{Caller, Catalog};
use serde_json::Value;

fn say(stage: &Stage, room: &str, text: &str) {
    let draft = Draft { text: Text::parse(text).unwrap(), ..Draft::default() };
    let room = stage.node.read(|reading| Ok(reading.room_named(room).unwrap().unwrap().id.clone())).unwrap();
    stage.operator(move |node| node.post_message(&Caller::Operator, &room, draft));
}

fn said(client: &mut Client) -> Value {
    serde_json::from_str(&client.heard().payload).unwrap()
}

#[test]
fn what_a_device_publishes_is_said_in_its_room_and_heard_there() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &[], &[]);
    for version in [4, 5] {
        let mut porch = Client::connect(stage.address, &Hello::new(version, "porch").by("porch", &key));
        assert_eq!(porch.subscribe("linnet/room/garden/msg", 2), 1);
        assert_eq!(porch.publish("linnet/room/garden/post", "door open", 1, false), 0);
        let line = said(&mut porch);
        assert_eq!((line["text"].as_str(), line["author"].as_str()), (Some("door open"), Some("porch")));
        let json = r#"{"text":"again","title":"Door","priority":4,"tags":["door"]}"#;
        assert_eq!(porch.publish("linnet/room/garden/post", json, 2, false), 0);
        let line = said(&mut porch);
        assert_eq!((line["text"].as_str(), line["title"].as_str()), (Some("again"), Some("Door")));
        say(&stage, "garden", "from a person");
        assert_eq!(said(&mut porch)["text"], "from a person");
        porch.leave();
    }
}

#[test]
fn a_room_is_heard_by_those_who_may_read_it() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &["#"], &["#"]);
    stage.device("lamp", "workshop", &[], &[]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "porch").by("porch", &key));
    assert_eq!(porch.subscribe("linnet/room/workshop/msg", 1), 0x90);
    assert_eq!(porch.publish("linnet/room/workshop/post", "hello", 1, false), 0x90);
    assert_eq!(porch.publish("linnet/room/nowhere/post", "hello", 1, false), 0x90);
    // A wildcard is for the rooms that are the device's.
    assert_eq!(porch.subscribe("linnet/room/+/msg", 1), 1);
    say(&stage, "workshop", "not for porch");
    say(&stage, "garden", "for porch");
    assert_eq!(said(&mut porch)["text"], "for porch");
    porch.ping();
    let mut body = vec![0, 4, 0];
    body.extend(text("linnet/room/+/msg"));
    porch.send(&packet(0xA2, &body));
    assert_eq!(reason(&porch.expect(0xB0)[1..]), 0);
    say(&stage, "garden", "unheard");
    porch.ping();
}

#[test]
fn what_was_said_while_a_device_was_away_is_told_when_it_is_back() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &[], &[]);
    let hello = Hello::staying(5, "porch").by("porch", &key);
    let mut porch = Client::connect(stage.address, &hello);
    assert_eq!(porch.subscribe("linnet/room/garden/msg", 1), 1);
    say(&stage, "garden", "before");
    assert_eq!(said(&mut porch)["text"], "before");
    porch.ping();
    porch.leave();
    for number in 0..150 {
        say(&stage, "garden", &format!("meanwhile {number}"));
    }
    let mut porch = Client::connect(stage.address, &hello);
    assert!(porch.connack.0);
    say(&stage, "garden", "after");
    for number in 0..150 {
        assert_eq!(said(&mut porch)["text"], format!("meanwhile {number}"));
    }
    assert_eq!(said(&mut porch)["text"], "after");
    porch.ping();
}

#[test]
fn a_right_to_read_that_ends_ends_the_hearing() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &[], &[]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "porch").by("porch", &key));
    assert_eq!(porch.subscribe("linnet/room/garden/msg", 1), 1);
    say(&stage, "garden", "heard");
    assert_eq!(said(&mut porch)["text"], "heard");
    stage.operator(|node| node.remove_device(&Caller::Operator, "porch"));
    say(&stage, "garden", "unheard");
    assert_eq!(porch.end(), Some(0x87));
}

/// Gives the porch rooms and takes rooms away.
fn allow(stage: &Stage, take: &[&str], give: &[(&str, bool, bool)]) {
    let take = take.iter().map(|room| (*room).into()).collect();
    let give = give.iter().map(|(room, post, read)| ((*room).into(), *post, *read)).collect();
    let change = DeviceChange { rooms: Rooms::Change { take, give }, ..DeviceChange::default() };
    stage.operator(|node| node.change_device(&Caller::Operator, "porch", change));
}

#[test]
fn a_wildcard_follows_the_rooms_as_they_come_and_go() {
    for filter in ["linnet/room/+/msg", "linnet/room/#", "#", "+/+/+/msg"] {
        let stage = Stage::open();
        let key = stage.device("porch", "garden", &[], &["#"]);
        stage.device("lamp", "workshop", &[], &[]);
        let mut porch = Client::connect(stage.address, &Hello::new(5, "porch").by("porch", &key));
        assert_eq!(porch.subscribe(filter, 1), 1, "{filter}");
        say(&stage, "workshop", "not for porch");
        say(&stage, "garden", "for porch");
        assert_eq!(said(&mut porch)["text"], "for porch");
        // At once, and nothing of what was said before.
        allow(&stage, &["garden"], &[("workshop", true, true)]);
        say(&stage, "garden", "no longer");
        say(&stage, "workshop", "from now on");
        let told = porch.heard();
        assert_eq!(told.topic, "linnet/room/workshop/msg", "{filter}");
        assert!(told.payload.contains("from now on"), "{}", told.payload);
        assert_eq!(porch.publish("linnet/room/garden/post", "x", 1, false), 0x90);
        assert_eq!(porch.publish("linnet/room/workshop/post", "here", 1, false), 0);
        assert_eq!(said(&mut porch)["text"], "here");
        // Whoever may only read says nothing.
        allow(&stage, &[], &[("workshop", false, true)]);
        assert_eq!(porch.publish("linnet/room/workshop/post", "x", 1, false), 0x87);
        let rename = RoomPatch { name: Some(Name::fixed("shed")), ..RoomPatch::default() };
        let workshop =
            stage.node.read(|reading| Ok(reading.room_named("workshop").unwrap().unwrap().id.clone()));
        stage.operator(|node| node.change_room(&Caller::Operator, &workshop.unwrap(), rename));
        say(&stage, "shed", "renamed");
        assert_eq!(porch.heard().topic, "linnet/room/shed/msg", "{filter}");
        // Who is in no room hears the next one all the same.
        allow(&stage, &["shed"], &[]);
        allow(&stage, &[], &[("garden", true, true)]);
        say(&stage, "garden", "again");
        assert_eq!(said(&mut porch)["text"], "again");
        porch.ping();
    }
}

#[test]
fn a_person_hears_the_rooms_they_join() {
    let stage = Stage::open();
    stage.device("lamp", "garden", &[], &[]);
    let mut new = NewUser::person(Name::fixed("alice"), "alice", Default::default());
    (new.password, new.roles) = (None, Roles::of(&[Role::User]));
    let (alice, token) = stage.operator(move |node| {
        let user = node.add_user(&Caller::Operator, new)?;
        let token = node.open_session(&user.id)?.0;
        Ok((user, token))
    });
    let mut phone = Client::connect(stage.address, &Hello::new(5, "phone").by("alice", &token));
    assert_eq!(phone.subscribe("linnet/room/+/msg", 1), 1);
    say(&stage, "garden", "before");
    let caller = Caller::with_token(&token);
    let garden = stage.node.read(|reading| Ok(reading.room_named("garden").unwrap().unwrap().id.clone()));
    let garden = garden.unwrap();
    let room = garden.clone();
    stage.operator(move |node| node.join_room(&caller, &room));
    say(&stage, "garden", "within");
    assert_eq!(said(&mut phone)["text"], "within");
    stage.operator(move |node| node.kick(&Caller::Operator, &garden, &alice.id));
    say(&stage, "garden", "after");
    phone.ping();
}

#[test]
fn nobody_in_particular_hears_no_room() {
    let stage = Stage::open();
    stage.device("lamp", "garden", &[], &[]);
    let mut nobody = Client::connect(stage.address, &Hello::new(5, "nobody"));
    assert_eq!(nobody.subscribe("#", 1), 1);
    assert_eq!(nobody.subscribe("linnet/room/+/msg", 1), 1);
    assert_eq!(nobody.subscribe("linnet/room/garden/msg", 1), 0x90);
    say(&stage, "garden", "among us");
    nobody.ping();
}
