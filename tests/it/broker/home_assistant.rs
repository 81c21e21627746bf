//! Home Assistant as a client: it finds what there is, and uses it as its documentation says.

use super::client::{Client, Hello, Told, packet, text};
use super::discovery::{Device, read, unique_ids};
use super::stage::Stage;
use linnet::base::id::{RoomId, Seq};
use linnet::chat::device::TopicRights;
use linnet::chat::name::Name;
use linnet::chat::room::RoomKind;
use linnet::chat::topic::Filter;
use linnet::chat::user::Role;
use linnet::node::accounts::NewUser;
use linnet::node::devices::{NewDevice, Rights};
use linnet::node::rooms::{NewRoom, RoomPatch};
use linnet::node::{Caller, Catalog};
use serde_json::Value;
use std::collections::BTreeMap;

/// Home Assistant, and what it has found.
struct Finder {
    client: Client,
    devices: BTreeMap<String, Device>,
}

impl Finder {
    /// Comes as this user, and hears what there is to be found.
    fn connect(stage: &Stage, hello: &Hello) -> Finder {
        let client = Client::connect(stage.address, hello);
        let mut finder = Finder { client, devices: BTreeMap::new() };
        finder.hear(&["homeassistant/+/+/config", "homeassistant/+/+/+/config"]);
        finder
    }

    /// Subscribes in the midst of everything.
    fn hear(&mut self, filters: &[&str]) {
        let mut body = vec![0, 11];
        if self.client.version() == 5 {
            body.push(0);
        }
        for filter in filters {
            body.extend(text(filter));
            body.push(1);
        }
        self.client.send(&packet(0x82, &body));
        let answer = self.client.answer(0x90);
        assert!(answer.iter().rev().take(filters.len()).all(|reason| *reason < 3), "{filters:?}: {answer:?}");
    }

    /// Hears one thing more; a configuration is read by the rules.
    fn heard(&mut self) -> Told {
        let told = self.client.heard();
        if told.topic.ends_with("/config") {
            match told.payload.as_str() {
                "" => drop(self.devices.remove(&told.topic)),
                config => drop(self.devices.insert(told.topic.clone(), read(&told.topic, config))),
            }
            unique_ids(self.devices.values());
        }
        told
    }

    fn until(&mut self, holds: impl Fn(&Finder) -> bool) {
        while !holds(self) {
            self.heard();
        }
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.devices.values().map(|device| device.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn find(&self, name: &str) -> Option<&Device> {
        self.devices.values().find(|device| device.name == name)
    }

    /// Something of a component, as a text.
    fn part(&self, device: &str, component: &str, key: &str) -> String {
        self.find(device).unwrap().components[component][key].as_str().unwrap().to_owned()
    }

    /// The next that is said on a topic.
    fn said(&mut self, topic: &str) -> String {
        loop {
            let told = self.heard();
            if told.topic == topic {
                return told.payload;
            }
        }
    }
}

/// Home Assistant's key, as `device add homeassistant --home-assistant` gives it.
fn key(stage: &Stage, room: Option<&str>) -> String {
    let filters = |texts: &[&str]| texts.iter().map(|text| Filter::parse(text).unwrap()).collect();
    let topics = TopicRights {
        publish: filters(&["homeassistant/#"]),
        subscribe: filters(&["homeassistant/#", "linnet/status/#", "linnet/device/#"]),
        command: filters(&["+"]),
    };
    let room = room.map(|room| (room.into(), Rights::Both));
    let new = NewDevice { name: Name::parse("ha").unwrap(), room, topics, certificate: false };
    stage.operator(move |node| Ok(node.make_device(&Caller::Operator, new)?.key))
}

fn room(stage: &Stage, name: &str) -> RoomId {
    stage.node.read(|reading| Ok(reading.room_named(name).unwrap().unwrap().id.clone())).unwrap()
}

fn change(stage: &Stage, name: &str, patch: RoomPatch) {
    let room = room(stage, name);
    stage.operator(move |node| node.change_room(&Caller::Operator, &room, patch).map(drop));
}

fn bind(stage: &Stage, name: &str) {
    let room = room(stage, name);
    stage.operator(move |node| {
        let user = node.user_named("ha").unwrap().unwrap().id.clone();
        node.bind_device(&Caller::Operator, &user, &room, Rights::Both).map(drop)
    });
}

#[test]
fn it_finds_the_node_its_rooms_and_its_devices() {
    let stage = Stage::found();
    stage.device("porch", "garden", &[], &[]);
    let key = key(&stage, Some("garden"));
    for version in [4, 5] {
        let mut finder = Finder::connect(&stage, &Hello::new(version, "ha").by("ha", &key));
        finder.until(|finder| finder.devices.len() == 3);
        assert_eq!(
            finder.names(),
            ["#garden", "home", "porch"],
            "its own device and other rooms are not there"
        );
        let node = finder.find("home").unwrap().clone();
        for (name, via) in [("home", None), ("#garden", Some(&node.ids[0])), ("porch", Some(&node.ids[0]))] {
            let device = finder.find(name).unwrap();
            assert_eq!((device.via.as_ref(), device.availability.as_str()), (via, "linnet/status"), "{name}");
        }
        // Everything that is read can be subscribed to, and says how it is at once.
        finder.hear(&["linnet/status"]);
        let status: Value = serde_json::from_str(&finder.said("linnet/status")).unwrap();
        assert_eq!(status["state"], "online");
        let state = finder.part("home", "problem", "state_topic");
        finder.hear(&[&state]);
        let state: Value = serde_json::from_str(&finder.said(&state)).unwrap();
        for component in node.components.values() {
            let template = component["value_template"].as_str().unwrap();
            let key = template.split("value_json.").nth(1).unwrap().split([' ', '}']).next().unwrap();
            assert!(state.get(key).is_some(), "{template} of {state}");
        }
        assert_eq!(state["version"], "0.1.0");
        assert!(state["sessions"].as_u64().unwrap() >= 1);
        let connected = finder.part("porch", "connected", "state_topic");
        finder.hear(&[&connected]);
        assert_eq!(finder.said(&connected), "offline");
    }
}

#[test]
fn a_room_is_a_notify_target_and_an_event() {
    let stage = Stage::found();
    let key = key(&stage, Some("garden"));
    let mut finder = Finder::connect(&stage, &Hello::new(4, "ha").by("ha", &key));
    finder.until(|finder| finder.find("#garden").is_some());
    let (say, said) =
        (finder.part("#garden", "say", "command_topic"), finder.part("#garden", "said", "state_topic"));
    finder.hear(&[&said]);
    assert_eq!(finder.client.publish(&say, "the door is open", 1, false), 0);
    let event: Value = serde_json::from_str(&finder.said(&said)).unwrap();
    assert_eq!((&event["text"], &event["author"]), (&"the door is open".into(), &"ha".into()));
}

#[test]
fn a_device_is_there_and_says_what_it_measures() {
    let stage = Stage::found();
    let porch = stage.device("porch", "garden", &[], &[]);
    let key = key(&stage, Some("garden"));
    let mut finder = Finder::connect(&stage, &Hello::new(4, "ha").by("ha", &key));
    finder.until(|finder| finder.find("porch").is_some());
    let connected = finder.part("porch", "connected", "state_topic");
    finder.hear(&[&connected]);
    assert_eq!(finder.said(&connected), "offline");
    let mut porch = Client::connect(stage.address, &Hello::new(4, "porch").by("porch", &porch));
    while finder.said(&connected) != "online" {}
    let state = r#"{"temperature":21.5,"power":{"value":3,"unit":"W"}}"#;
    assert_eq!(porch.publish("linnet/device/porch/state", state, 1, true), 0);
    let has = |finder: &Finder, key: &str| finder.find("porch").unwrap().components.contains_key(key);
    finder.until(|finder| has(finder, "state_temperature"));
    assert_eq!(finder.part("porch", "state_power", "unit_of_measurement"), "W");
    let topic = finder.part("porch", "state_temperature", "state_topic");
    finder.hear(&[&topic]);
    assert_eq!(finder.said(&topic), state);
    assert_eq!(porch.subscribe("linnet/device/porch/in", 1), 1);
    let say = finder.part("porch", "say", "command_topic");
    assert_eq!(finder.client.publish(&say, "on", 1, false), 0);
    assert_eq!(porch.heard().payload, "on");
    porch.leave();
    while finder.said(&connected) != "offline" {}
}

#[test]
fn what_changes_is_told_and_what_is_gone_is_taken_away() {
    let stage = Stage::found();
    stage.device("porch", "garden", &[], &[]);
    stage.device("lamp", "workshop", &[], &[]);
    let key = key(&stage, Some("garden"));
    let mut finder = Finder::connect(&stage, &Hello::new(5, "ha").by("ha", &key));
    finder.until(|finder| finder.devices.len() == 4);
    let ids = unique_ids(finder.find("#garden").into_iter());
    change(
        &stage,
        "garden",
        RoomPatch { name: Some(Name::parse("greenhouse").unwrap()), ..RoomPatch::default() },
    );
    finder.until(|finder| finder.find("#greenhouse").is_some());
    assert_eq!(unique_ids(finder.find("#greenhouse").into_iter()), ids, "it keeps its place");
    assert_eq!(finder.part("#greenhouse", "say", "command_topic"), "linnet/room/greenhouse/post");
    bind(&stage, "workshop");
    finder.until(|finder| finder.find("#workshop").is_some());
    change(&stage, "workshop", RoomPatch { archived: Some(true), ..RoomPatch::default() });
    finder.until(|finder| finder.find("#workshop").is_none());
    stage.operator(|node| node.remove_device(&Caller::Operator, "porch"));
    finder.until(|finder| finder.find("porch").is_none());
    let room = room(&stage, "greenhouse");
    stage.operator(move |node| node.remove_room(&Caller::Operator, &room));
    finder.until(|finder| finder.find("#greenhouse").is_none());
    assert_eq!(finder.names(), ["home", "lamp"]);
}

#[test]
fn it_is_told_again_when_it_comes_and_the_disk_hears_nothing() {
    let stage = Stage::found();
    stage.device("porch", "garden", &[], &[]);
    let key = key(&stage, Some("garden"));
    let mut finder = Finder::connect(&stage, &Hello::new(4, "ha").by("ha", &key));
    for _ in 0..2 {
        finder.until(|finder| finder.devices.len() == 3);
        finder.devices.clear();
        assert_eq!(finder.client.publish("homeassistant/status", "online", 0, false), 0);
    }
    finder.until(|finder| finder.devices.len() == 3);
    let page =
        stage.node.read(|reading| reading.publications_after(Seq(0), reading.newest(), 10_000)).unwrap();
    assert!(page.found.is_empty(), "{:?}", page.found);
    assert_eq!(page.reached, stage.node.read(|reading| Ok(reading.newest())).unwrap());
}

#[test]
fn everyone_finds_what_they_may_use() {
    let stage = Stage::found();
    let private = NewRoom::named(RoomKind::Private, Name::parse("cellar").unwrap());
    stage.operator(move |node| node.create_room(&Caller::Operator, private).map(drop));
    stage.device("porch", "garden", &[], &[]);
    // Without a room it finds the devices it may hear.
    let key = key(&stage, None);
    let mut finder = Finder::connect(&stage, &Hello::new(4, "ha").by("ha", &key));
    finder.until(|finder| finder.devices.len() == 2);
    assert_eq!(finder.names(), ["home", "porch"]);
    // Being let into a private room is finding it.
    bind(&stage, "cellar");
    finder.until(|finder| finder.find("#cellar").is_some());
    // An administrator finds public rooms, and no private one.
    let token = stage.operator(|node| {
        let alice = NewUser::without_password(Name::parse("alice").unwrap(), Role::Admin);
        let alice = node.add_user(&Caller::Operator, alice)?;
        Ok(node.create_token(&Caller::Operator, &alice.id)?.0)
    });
    let mut admin = Finder::connect(&stage, &Hello::new(4, "alice").by("alice", &token));
    admin.until(|finder| finder.find("ha").is_some());
    admin.client.put("homeassistant/status", "online", 0, 0, &[]);
    admin.devices.clear();
    admin.until(|finder| finder.find("porch").is_some() && finder.find("ha").is_some());
    assert_eq!(admin.names(), ["#garden", "#general", "ha", "home", "porch"]);
    // Whoever shows no key speaks in no room, and finds none.
    let mut nobody = Finder::connect(&stage, &Hello::new(4, "nobody"));
    nobody.until(|finder| finder.find("porch").is_some());
    assert!(nobody.names().iter().all(|name| !name.starts_with('#')), "{:?}", nobody.names());
    // And a device that was given other topics may not even ask.
    let lamp = stage.device("lamp", "garden", &[], &["lamp/#"]);
    let mut lamp = Client::connect(stage.address, &Hello::new(5, "lamp").by("lamp", &lamp));
    assert_eq!(lamp.subscribe("homeassistant/#", 0), 0x87);
}
