//! Devices as users: how they come in, what they may, and how that ends.

use crate::harness::life::Life;
use crate::harness::site::Served;
use linnet::base::limits::PASSWORDS_MAX;
use linnet::chat::name::Name;
use linnet::chat::refusal::Refusal;
use linnet::chat::user::Role;
use linnet::node::accounts::UserPatch;
use linnet::node::devices::{Added, Rights};
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
