//! Rooms as topics.

use super::client::{Client, Hello, packet, reason, text};
use super::stage::Stage;
use linnet::chat::message::Draft;
use linnet::chat::name::Text;
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
