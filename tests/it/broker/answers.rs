//! What people say reaches devices, and what those answer stands in its thread.

mod process;
mod rights;

use super::client::{Client, Hello, reason, text};
use super::stage::Stage;
use crate::harness::life::words;
use crate::harness::wait::until;
use linnet::base::id::{MessageId, RoomId};
use linnet::base::world::SimWorld;
use linnet::chat::message::{Draft, Message, MessageKind};
use linnet::chat::name::Name;
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::NewUser;
use linnet::node::{Caller, Catalog};
use serde_json::Value;
use std::sync::Arc;

/// Somebody with an account.
fn person(stage: &Stage, name: &'static str) -> Caller {
    let mut new = NewUser::person(Name::fixed(name), name, Default::default());
    (new.password, new.roles) = (None, Roles::of(&[Role::User]));
    let token = stage.operator(move |node| {
        let user = node.add_user(&Caller::Operator, new)?;
        Ok(node.open_session(&user.id)?.0)
    });
    Caller::with_token(&token)
}

fn room(stage: &Stage, name: &str) -> RoomId {
    stage.node.read(|reading| Ok(reading.room_named(name).unwrap().unwrap().id.clone())).unwrap()
}

fn say(stage: &Stage, who: &Caller, to: &str, text: &str, thread: Option<&MessageId>) -> MessageId {
    let (room, caller, draft) =
        (room(stage, to), who.clone(), Draft { thread: thread.cloned(), ..words(text) });
    stage.node.call_blocking(who, move |node| node.post_message(&caller, &room, draft)).unwrap().id
}

/// All that was said in a room, oldest first.
fn said(stage: &Stage, name: &str) -> Vec<Message> {
    stage
        .node
        .read(|reading| {
            let (_, granted) = reading.room_for(&reading.actor(&Caller::Operator)?, name)?;
            let messages = reading.messages_after(&granted.permit, Default::default(), 100)?;
            Ok(messages.into_iter().filter(|message| message.kind == MessageKind::Said).collect())
        })
        .unwrap()
}

fn last(stage: &Stage, name: &str) -> Message {
    said(stage, name).pop().unwrap()
}

fn asked(client: &mut Client) -> Value {
    serde_json::from_str(&client.heard().payload).unwrap()
}

/// Returns when the node knows that a session has nobody connected to it.
fn away(stage: &Stage) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(until("it is away", || stage.node.hub.topics_counts().parked == 1));
}

/// A pump in the garden that hears what it is to do, and is told in the words of this version.
fn pump(stage: &Stage, version: u8) -> Client {
    let key = stage.device("pump", "garden", &[], &[]);
    let mut pump = Client::connect(stage.address, &Hello::new(version, "pump").by("pump", &key));
    assert_eq!(pump.subscribe("linnet/device/pump/in", 1), 1);
    pump
}

#[test]
fn a_reply_and_a_mention_reach_the_device() {
    for version in [4, 5] {
        let stage = Stage::open();
        let mut pump = pump(&stage, version);
        let alice = person(&stage, "alice");
        assert_eq!(pump.publish("linnet/room/garden/post", "dry", 1, false), 0);
        let dry = last(&stage, "garden").id;
        let reply = say(&stage, &alice, "garden", "water it", Some(&dry));
        let question = asked(&mut pump);
        assert_eq!(question["text"], "water it");
        assert_eq!((question["room"].as_str(), question["from"].as_str()), (Some("garden"), Some("alice")));
        assert_eq!(question["id"], reply.as_str());
        assert_eq!(question["thread"], dry.as_str());
        assert!(question["time"].is_u64(), "the clock of this machine is trusted");
        let mention = say(&stage, &alice, "garden", "@Pump: off", None);
        let question = asked(&mut pump);
        assert_eq!(
            (question["text"].as_str(), question["id"].as_str()),
            (Some("off"), Some(mention.as_str()))
        );
        assert_eq!(question.get("thread"), None);
        // Who goes on in that thread need not name it again.
        say(&stage, &alice, "garden", "and stay so", Some(&mention));
        assert_eq!(asked(&mut pump)["text"], "and stay so");
        // What is said to others, or to nobody, is not for it.
        say(&stage, &alice, "garden", "the @pump is old", None);
        say(&stage, &alice, "garden", "@alice look", Some(&dry));
        pump.ping();
        assert!(said(&stage, "garden").iter().all(|message| message.author.id.as_str() != "linnet"));
    }
}

#[test]
fn what_a_device_answers_stands_under_the_question() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    let alice = person(&stage, "alice");
    // Nobody asked: it speaks in its room.
    assert_eq!(pump.publish("linnet/device/pump/out", "here I am", 1, false), 0);
    assert_eq!((last(&stage, "garden").text.as_str(), last(&stage, "garden").thread), ("here I am", None));
    let first = say(&stage, &alice, "garden", "@pump on", None);
    let second = say(&stage, &alice, "garden", "@pump level?", None);
    let reply = say(&stage, &alice, "garden", "really?", Some(&first));
    for _ in 0..3 {
        pump.heard();
    }
    let mut answer = |payload: &str, properties: &[u8]| {
        pump.put("linnet/device/pump/out", payload, 2, 7, properties);
        let reason = reason(&pump.answer(0x40));
        (reason, last(&stage, "garden").thread, last(&stage, "garden").text.as_str().to_owned())
    };
    assert_eq!(answer("yes", &[]), (0, Some(first.clone()), "yes".into()), "the thread of the newest");
    let named = format!(r#"{{"text":"full","re":"{second}"}}"#);
    assert_eq!(answer(&named, &[]), (0, Some(second.clone()), "full".into()));
    let mut properties = vec![9];
    properties.extend(text(reply.as_str()));
    assert_eq!(answer("by number", &properties), (0, Some(first), "by number".into()));
    // Another client asked by the topic itself: that is between the two.
    let elsewhere = answer("3.5", &[9, 0, 2, 1, 2]);
    assert_eq!((elsewhere.0, elsewhere.2.as_str()), (0, "by number"));
    assert_eq!(answer(r#"{"text":"x","re":"nothing"}"#, &[]).0, 0x83);
    assert_eq!(last(&stage, "garden").author.username.as_str(), "pump");
}

#[test]
fn a_question_says_to_5_0_where_its_answer_goes() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    let alice = person(&stage, "alice");
    let id = say(&stage, &alice, "garden", "@pump on", None);
    let told = pump.heard();
    let mut wanted = vec![1, 1, 8];
    wanted.extend(text("linnet/device/pump/out"));
    wanted.push(9);
    wanted.extend(text(id.as_str()));
    assert!(told.properties.windows(wanted.len()).any(|part| part == wanted), "{:?}", told.properties);
    assert!((told.qos, told.retain) == (1, false) && told.properties.starts_with(&[2]), "and until when");
}

#[test]
fn what_came_twice_is_said_once() {
    let stage = Stage::open();
    let key = stage.device("pump", "garden", &[], &[]);
    for version in [4, 5] {
        for qos in [1, 2] {
            let hello = Hello::staying(version, "pump").by("pump", &key);
            let mut first = Client::connect(stage.address, &hello);
            let words = format!("answer {version} {qos}");
            first.put("linnet/device/pump/out", &words, qos << 1, 70 + u16::from(qos), &[]);
            first.answer(if qos == 1 { 0x40 } else { 0x50 });
            // The answer was lost, as far as the device knows; also to a session that remembers nothing.
            drop(first);
            let mut clean = Hello::new(version, "pump").by("pump", &key);
            clean.clean = true;
            let mut again = Client::connect(stage.address, &clean);
            again.put("linnet/device/pump/out", &words, 8 | qos << 1, 70 + u16::from(qos), &[]);
            again.answer(if qos == 1 { 0x40 } else { 0x50 });
            let times = said(&stage, "garden").iter().filter(|one| one.text.as_str() == words).count();
            assert_eq!(times, 1, "{words}");
            again.put("linnet/device/pump/out", &words, qos << 1, 90, &[]);
            again.answer(if qos == 1 { 0x40 } else { 0x50 });
            let times = said(&stage, "garden").iter().filter(|one| one.text.as_str() == words).count();
            assert_eq!(times, 2, "a new packet is a new answer");
        }
    }
}

#[test]
fn a_device_that_is_back_too_late_hears_no_old_command() {
    let world = Arc::new(SimWorld::new(5));
    let stage = Stage::open_in(world.clone());
    let key = stage.device("pump", "garden", &[], &[]);
    let alice = person(&stage, "alice");
    for version in [4, 5] {
        let hello = Hello::staying(version, "pump").by("pump", &key);
        let mut pump = Client::connect(stage.address, &hello);
        assert_eq!(pump.subscribe("linnet/device/pump/in", 1), 1);
        // One is on its way and never acknowledged; one waits for it.
        say(&stage, &alice, "garden", "@pump on", None);
        assert_eq!(pump.told().qos, 1);
        drop(pump);
        away(&stage);
        say(&stage, &alice, "garden", "@pump off", None);
        world.pass_ms(10_000);
        let mut back = Client::connect(stage.address, &hello);
        assert_eq!(
            (asked(&mut back)["text"].clone(), asked(&mut back)["text"].clone()),
            ("on".into(), "off".into())
        );
        say(&stage, &alice, "garden", "@pump half", None);
        assert_eq!(back.told().qos, 1);
        drop(back);
        away(&stage);
        say(&stage, &alice, "garden", "@pump full", None);
        world.pass_ms(31_000);
        let mut late = Client::connect(stage.address, &hello);
        late.ping();
        say(&stage, &alice, "garden", "@pump now", None);
        assert_eq!(asked(&mut late)["text"], "now");
        late.leave();
        Client::connect(stage.address, &Hello::new(version, "pump").by("pump", &key)).leave();
    }
}

#[test]
fn whoever_speaks_to_a_device_that_is_not_there_is_told_so() {
    let stage = Stage::open();
    let alice = person(&stage, "alice");
    let key = stage.device("pump", "garden", &[], &[]);
    let note = |question: &MessageId| {
        let last = last(&stage, "garden");
        let is_note = last.author.username.as_str() == "linnet" && last.thread.as_ref() == Some(question);
        is_note.then(|| last.text.as_str().to_owned())
    };
    let question = say(&stage, &alice, "garden", "@pump on", None);
    assert_eq!(note(&question).as_deref(), Some("pump is not connected: it does not hear this."));
    // Those who talk about a sensor that never listened need no answer from it.
    let hello = Hello::new(4, "pump").by("pump", &key);
    let mut pump = Client::connect(stage.address, &hello);
    assert_eq!(pump.publish("linnet/room/garden/post", "dry", 1, false), 0);
    let dry = last(&stage, "garden").id;
    let reply = say(&stage, &alice, "garden", "again?", Some(&dry));
    assert_eq!(last(&stage, "garden").id, reply);
    // Whoever hears the room has heard it.
    assert_eq!(pump.subscribe("linnet/room/garden/msg", 0), 0);
    let heard = say(&stage, &alice, "garden", "@pump on", None);
    assert_eq!(last(&stage, "garden").id, heard);
    assert_eq!(asked(&mut pump)["id"], heard.as_str());
    pump.leave();
    let reply = say(&stage, &alice, "garden", "are you there?", Some(&dry));
    assert_eq!(last(&stage, "garden").thread, Some(dry.clone()));
    assert_ne!(last(&stage, "garden").id, reply, "it listens, and is not there");
    let hello = Hello::staying(4, "pump").by("pump", &key);
    let mut pump = Client::connect(stage.address, &hello);
    assert_eq!(pump.subscribe("linnet/device/pump/in", 1), 1);
    pump.leave();
    away(&stage);
    let question = say(&stage, &alice, "garden", "@pump off", None);
    assert!(note(&question).is_some_and(|note| note.ends_with("if it is back within 30 seconds.")));
    let mut back = Client::connect(stage.address, &hello);
    assert_eq!(asked(&mut back)["text"], "off");
}

#[test]
fn the_state_of_a_device_is_its_own_and_stays() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    assert_eq!(pump.publish("linnet/device/pump/state", r#"{"on":true}"#, 1, true), 0);
    // Nothing of what is between it and others is ever a state.
    assert_eq!(pump.publish("linnet/device/pump/out", "kept?", 1, true), 0);
    let lamp = stage.device("lamp", "garden", &[], &["linnet/device/pump/#"]);
    let mut lamp = Client::connect(stage.address, &Hello::new(5, "lamp").by("lamp", &lamp));
    assert_eq!(lamp.publish("linnet/device/pump/state", "off", 1, true), 0x87);
    assert_eq!(lamp.subscribe("linnet/device/pump/#", 1), 1);
    let told = lamp.heard();
    assert_eq!((told.topic.as_str(), told.retain), ("linnet/device/pump/state", true));
    lamp.ping();
}
