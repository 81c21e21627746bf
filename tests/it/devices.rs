//! Devices as users: how they come in, what they may, and how that ends.

use crate::harness::life::Life;
use crate::harness::site::Served;
use linnet::base::limits::PASSWORDS_MAX;
use linnet::chat::device::{DeviceChange, Filters, TopicRights};
use linnet::chat::name::Name;
use linnet::chat::policy;
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::{Filter, Topic};
use linnet::chat::user::Role;
use linnet::node::accounts::UserPatch;
use linnet::node::devices::{Added, NewDevice, Rights};
use linnet::node::passwords::Digested;
use linnet::node::{Caller, Node};
use std::thread;

const OPERATOR: Caller = Caller::Operator;

fn sensor(node: &mut Node) -> Result<Added, Refusal> {
    node.add_device(&OPERATOR, Name::fixed("sensor"), "garden", Rights::Both)
}

fn login(life: &Life, name: &str, key: &str) -> Result<String, Refusal> {
    life.parts.reading.device_login(name, key).map(|(_, user)| user.username.to_string())
}

#[test]
fn a_key_is_good_under_its_devices_name_only() {
    let mut life = Life::begin(1);
    let sensor = life.call(sensor).unwrap();
    let lamp = life.call(|n| n.add_device(&OPERATOR, Name::fixed("lamp"), "garden", Rights::Both)).unwrap();
    for name in ["sensor", "SENSOR", "Sensor"] {
        assert_eq!(login(&life, name, &sensor.key), Ok("sensor".to_owned()));
    }
    let (caller, user) = life.parts.reading.device_login("sensor", &sensor.key).unwrap();
    assert_eq!((caller, &user.id), (Caller::with_token(&sensor.key), &sensor.user.id));
    for (name, key) in [
        ("lamp", sensor.key.as_str()),
        ("", &sensor.key),
        ("sensor ", &sensor.key),
        ("nobody", &sensor.key),
        ("sensor", &lamp.key),
        ("sensor", ""),
        ("sensor", "dv_"),
        ("linnet", ""),
    ] {
        assert_eq!(login(&life, name, key), Err(Refusal::LoginWrong), "{name:?}");
    }
}

#[test]
fn a_person_comes_in_with_a_token_and_not_with_a_password() {
    let mut life = Life::begin(2);
    let (alice, caller) = life.user("alice", &[Role::User]);
    let (session, _) = life.call(|n| n.open_session(&alice.id)).unwrap();
    let (personal, _) = life.call(|n| n.add_personal_token(&caller, "phone")).unwrap();
    for token in [&session, &personal] {
        assert_eq!(login(&life, "Alice", token), Ok("alice".to_owned()));
    }
    assert_eq!(login(&life, "bob", &personal), Err(Refusal::LoginWrong));
    let off = UserPatch { active: Some(false), ..UserPatch::default() };
    life.call(|n| n.change_user(&OPERATOR, &alice.id, off)).unwrap();
    assert_eq!(login(&life, "alice", &personal), Err(Refusal::LoginWrong), "no word of what is wrong");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let mut life = Life::begin(3);
    let old = life.call(sensor).unwrap().key;
    let (_, new) = life.call(|n| n.change_key(&OPERATOR, "SENSOR")).unwrap();
    assert_ne!(old, new);
    assert_eq!(login(&life, "sensor", &old), Err(Refusal::LoginWrong));
    assert_eq!(login(&life, "sensor", &new), Ok("sensor".to_owned()));
    let life = life.restart();
    assert_eq!(login(&life, "sensor", &old), Err(Refusal::LoginWrong), "also after a restart");
    assert_eq!(login(&life, "sensor", &new), Ok("sensor".to_owned()));
}

#[test]
fn a_person_has_no_key_to_change_and_no_rights_of_a_device() {
    let mut life = Life::begin(4);
    life.user("bob", &[Role::User]);
    for name in ["bob", "nobody"] {
        assert_eq!(life.call(|n| n.change_key(&OPERATOR, name)).map(drop), Err(Refusal::NoSuchDevice));
        let change = |n: &mut Node| n.change_device(&OPERATOR, name, Default::default()).map(drop);
        assert_eq!(life.call(change), Err(Refusal::NoSuchDevice));
    }
}

fn filters(texts: &[&str]) -> Vec<Filter> {
    texts.iter().map(|text| Filter::parse(text).unwrap()).collect()
}

/// Whether the caller may publish to this topic, and subscribe to it as a filter.
fn may(life: &Life, caller: &Caller, text: &str) -> (bool, bool) {
    let actor = life.parts.reading.actor(caller).unwrap();
    let publish = Topic::parse(text).is_ok_and(|topic| policy::may_publish(&actor, &topic).is_ok());
    (publish, policy::may_subscribe(&actor, &Filter::parse(text).unwrap()).is_ok())
}

#[test]
fn a_device_has_its_own_topics_and_those_it_was_given() {
    let mut life = Life::begin(5);
    let key = life.call(sensor).unwrap().key;
    let caller = Caller::with_token(&key);
    for (topic, publish, subscribe) in [
        ("sensor/x", true, true),
        ("sensor/#", false, true),
        ("linnet/device/sensor/state", true, true),
        ("sensors/x", false, false),
        ("pump/x", false, false),
        ("#", false, false),
        ("+/x", false, false),
        ("$SYS/uptime", false, false),
        ("linnet/device/pump/in", false, false),
        // Nobody publishes there: what is said in a room is heard by the right to read it.
        ("linnet/room/garden/post", false, true),
    ] {
        assert_eq!(may(&life, &caller, topic), (publish, subscribe), "{topic}");
    }
    let change = DeviceChange {
        publish: Filters::Change { take: filters(&["sensor/#"]), give: filters(&["tele/sensor/+"]) },
        command: Filters::Become(filters(&["pump"])),
        ..DeviceChange::default()
    };
    life.call(|n| n.change_device(&OPERATOR, "sensor", change)).unwrap();
    let life = life.restart();
    assert_eq!(may(&life, &caller, "sensor/x"), (false, true), "only what it publishes changed");
    assert_eq!(may(&life, &caller, "tele/sensor/x"), (true, false));
    assert_eq!(may(&life, &caller, "linnet/device/pump/in"), (true, false));
    assert_eq!(may(&life, &caller, "linnet/device/sensor/state"), (true, true), "its own it always has");
}

#[test]
fn a_key_that_may_stand_in_an_address_says_nothing_by_mqtt() {
    let mut life = Life::begin(6);
    let add = |n: &mut Node| n.add_device(&OPERATOR, Name::fixed("lamp"), "garden", Rights::Read);
    let caller = Caller::with_token(&life.call(add).unwrap().key);
    for topic in ["lamp/x", "linnet/device/lamp/state", "linnet/device/lamp/out"] {
        assert_eq!(may(&life, &caller, topic), (false, true), "{topic}");
    }
}

#[test]
fn a_certificate_lets_in_only_the_device_that_was_let() {
    let mut life = Life::begin(7);
    life.user("alice", &[Role::Admin]);
    life.call(sensor).unwrap();
    let come_in = |life: &Life, name: &str| {
        let (caller, user) = life.parts.reading.login_by_certificate(name)?;
        Ok::<_, Refusal>((caller, user.username.to_string()))
    };
    let allow = |life: &mut Life, certificate| {
        let change = DeviceChange { certificate: Some(certificate), ..DeviceChange::default() };
        life.call(|n| n.change_device(&OPERATOR, "sensor", change)).unwrap()
    };
    assert_eq!(come_in(&life, "sensor"), Err(Refusal::LoginWrong));
    allow(&mut life, true);
    let mut life = life.restart();
    let (caller, name) = come_in(&life, "Sensor").unwrap();
    assert_eq!(name, "sensor");
    assert_eq!(may(&life, &caller, "sensor/x"), (true, true));
    for name in ["alice", "linnet", "nobody", "", "sensor "] {
        assert_eq!(come_in(&life, name), Err(Refusal::LoginWrong), "{name}");
    }
    allow(&mut life, false);
    assert_eq!(come_in(&life, "sensor"), Err(Refusal::LoginWrong));
    assert!(life.parts.reading.actor(&caller).is_err(), "whoever came in by it is nobody now");
}

#[test]
fn a_device_without_a_room_has_only_its_topics() {
    let mut life = Life::begin(8);
    let topics = TopicRights { subscribe: filters(&["tele/#"]), ..TopicRights::default() };
    let new = NewDevice { name: Name::fixed("panel"), room: None, topics, certificate: false };
    let made = life.call(|n| n.make_device(&OPERATOR, new)).unwrap();
    let caller = Caller::with_token(&made.key);
    assert_eq!(may(&life, &caller, "tele/x"), (false, true));
    assert_eq!(may(&life, &caller, "panel/x"), (false, false), "who names topics has no others");
    let actor = life.parts.reading.actor(&caller).unwrap();
    assert!(life.parts.reading.room_for(&actor, "general").is_err());
}

#[test]
fn a_hundred_devices_come_back_while_passwords_wait_to_be_hashed() {
    let served = Served::start();
    let devices: Vec<(String, String)> = (0..100)
        .map(|number| {
            let name = Name::parse(&format!("sensor-{number}")).unwrap();
            let added = served.operator(|n| n.add_device(&OPERATOR, name, "garden", Rights::Both));
            (added.user.username.to_string(), added.key)
        })
        .collect();
    let hashing = |_| {
        let passwords = served.node.passwords().clone();
        thread::spawn(move || passwords.hash_blocking(Digested::of_plain("swordfish").unwrap()))
    };
    let waiting: Vec<_> = (0..PASSWORDS_MAX).map(hashing).collect();
    for (name, key) in &devices {
        let user = served.node.read(|reading| Ok(reading.device_login(name, key)?.1)).unwrap();
        assert_eq!(user.username.as_str(), name);
    }
    assert!(waiting.iter().any(|hash| !hash.is_finished()), "the devices waited for passwords");
    for hash in waiting {
        hash.join().unwrap().unwrap();
    }
}
