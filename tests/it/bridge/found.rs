//! Home Assistant at a real Mosquitto finds a node that has a bridge there.

use super::{Bridge, rule};
use crate::broker::discovery::{Device, read, unique_ids};
use crate::harness::alive::Alive;
use crate::harness::mosquitto::{Mosquitto, Subscriber};
use crate::harness::wait::until;
use linnet::chat::device::TopicRights;
use linnet::chat::name::Name;
use linnet::chat::publication::{Publication, Qos};
use linnet::chat::topic::Topic;
use linnet::doors::mqtt::bridge::rule::{BridgeRule, Found};
use linnet::node::Caller;
use linnet::node::devices::{NewDevice, Rights};
use std::collections::BTreeMap;

const BASE: &str = "linnet/home/ha";

fn found(broker: &Mosquitto) -> BridgeRule {
    let found = Found { prefix: "homeassistant".into(), base: BASE.into(), name: "home".into() };
    BridgeRule { found: Some(found), ..rule(broker.port, "tele/#") }
}

/// What a client that hears everything knows by now: the newest of each topic, without what was taken away.
fn known(client: &Subscriber) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    for line in client.lines() {
        let Some((topic, payload)) = line.split_once(' ') else { continue };
        match payload {
            "(null)" => known.remove(topic),
            payload => known.insert(topic.to_owned(), payload.to_owned()),
        };
    }
    known
}

fn devices(client: &Subscriber) -> BTreeMap<String, Device> {
    let known = known(client).into_iter().filter(|(topic, _)| topic.starts_with("homeassistant/device/"));
    let devices: Vec<Device> = known.map(|(topic, config)| read(&topic, &config)).collect();
    unique_ids(devices.iter());
    devices.into_iter().map(|device| (device.name.clone(), device)).collect()
}

fn names(client: &Subscriber) -> Vec<String> {
    devices(client).into_keys().collect()
}

/// How often configurations were published, as those hear it who hear everything.
fn published(client: &Subscriber) -> usize {
    client.lines().iter().filter(|line| line.starts_with("homeassistant/device/")).count()
}

fn status(client: &Subscriber) -> String {
    known(client).get(&format!("{BASE}/status")).cloned().unwrap_or_default()
}

async fn add(alive: &Alive, name: &'static str) -> String {
    let (name, room) = (Name::parse(name).unwrap(), Some(("garden".into(), Rights::Both)));
    let new = NewDevice { name, room, topics: TopicRights::default(), certificate: false };
    let make = move |node: &mut linnet::node::Node| node.make_device(&Caller::Operator, new);
    alive.node.call(&Caller::Operator, make).await.unwrap().key
}

/// Has a device say how it is.
async fn report(alive: &Alive, key: &str, state: &str) {
    let caller = Caller::with_token(key);
    let publication = Publication {
        topic: Topic::parse("linnet/device/lamp/state").unwrap(),
        payload: state.as_bytes().into(),
        qos: Qos::Least,
        retain: true,
        expiry_s: None,
        properties: None,
        by: linnet::node::caller::NODE_USER,
        client: "lamp".into(),
    };
    let by = caller.clone();
    let publish = move |node: &mut linnet::node::Node| node.publish(&by, publication, None);
    alive.node.call(&caller, publish).await.unwrap();
}

#[tokio::test]
async fn it_is_found_at_an_outside_broker_and_hears_what_is_sent_to_a_room() {
    let broker = Mosquitto::start().await;
    let alive = Alive::begin(1);
    let key = add(&alive, "lamp").await;
    // A command that somebody retained is none.
    broker.publish(&format!("{BASE}/room/garden/post"), "of long ago", &["-r"]);
    let client = broker.subscribe("ha", "#", &["-v"]).await;
    let bridge = Bridge::start(&alive, found(&broker));
    until("everything is found", || names(&client) == ["#garden", "#general", "home", "lamp"]).await;
    until("the node is there", || status(&client).contains("online")).await;
    let node = devices(&client)["home"].clone();
    assert_eq!(node.availability, format!("{BASE}/status"));
    let state = node.components["problem"]["state_topic"].as_str().unwrap().to_owned();
    until("it says how it is", || known(&client).contains_key(&state)).await;
    let lamp = format!("{BASE}/status/device/lamp");
    until("it says who is there", || known(&client).get(&lamp).is_some_and(|word| word == "offline")).await;
    let say = devices(&client)["#garden"].components["say"]["command_topic"].as_str().unwrap().to_owned();
    broker.publish(&say, "the door is open", &[]);
    until("it is said", || alive.said("garden") == ["the door is open"]).await;
    report(&alive, &key, r#"{"power":12}"#).await;
    until("what it measures is found", || devices(&client)["lamp"].components.contains_key("state_power"))
        .await;
    let power =
        devices(&client)["lamp"].components["state_power"]["state_topic"].as_str().unwrap().to_owned();
    until("and read", || known(&client).get(&power).is_some_and(|state| state == r#"{"power":12}"#)).await;
    bridge.stop().await;
    until("it says that it goes", || status(&client).contains("offline")).await;
}

#[tokio::test]
async fn what_the_broker_has_is_not_published_again_unless_it_is_asked_for() {
    let broker = Mosquitto::start().await;
    let alive = Alive::begin(2);
    add(&alive, "lamp").await;
    let client = broker.subscribe("ha", "#", &["-v"]).await;
    let bridge = Bridge::start(&alive, found(&broker));
    until("everything is found", || names(&client) == ["#garden", "#general", "home", "lamp"]).await;
    bridge.stop().await;
    until("it is gone", || status(&client).contains("offline")).await;
    let before = published(&client);
    let remove = |node: &mut linnet::node::Node| node.remove_device(&Caller::Operator, "lamp");
    alive.node.call(&Caller::Operator, remove).await.unwrap();
    let bridge = Bridge::start(&alive, found(&broker));
    until("it is taken away", || names(&client) == ["#garden", "#general", "home"]).await;
    let states =
        || client.lines().iter().filter(|line| line.starts_with(&format!("{BASE}/status/node"))).count();
    until("it is back", || status(&client).contains("online") && states() == 2).await;
    assert_eq!(published(&client), before + 1, "only that the lamp is gone");
    broker.publish("homeassistant/status", "online", &[]);
    until("it is told again", || published(&client) == before + 4).await;
    bridge.kill().await;
    until("its will is heard", || status(&client).contains("offline")).await;
}
