//! What people say in a room goes to a real Mosquitto: each message, in order, whichever side is away meanwhile.

use super::{Bridge, numbers, rule};
use crate::harness::alive::Alive;
use crate::harness::mosquitto::Mosquitto;
use crate::harness::wait::until;
use linnet::chat::message::Draft;
use linnet::chat::name::Text;
use linnet::doors::mqtt::bridge::broker::Version;
use linnet::doors::mqtt::bridge::rule::{BridgeRule, Tells};
use linnet::doors::mqtt::bridge::saying::{Form, Saying};
use linnet::node::Caller;

/// A rule that takes what is said in #garden to `out/garden`.
fn outward(broker: &Mosquitto, saying: Saying) -> BridgeRule {
    BridgeRule {
        hears: None,
        tells: Some(Tells { topic: "out/garden".to_owned(), saying }),
        ..rule(broker.port, "unused")
    }
}

fn plain() -> Saying {
    Saying::Form(Form::parse("{text}").unwrap())
}

/// Says these in a room, as somebody on this machine.
pub(super) async fn say(alive: &Alive, room: &str, texts: &[String]) {
    for text in texts {
        let (text, room) = (Text::parse(text).unwrap(), room.to_owned());
        let post = move |node: &mut linnet::node::Node| {
            let room =
                linnet::store::index::catalog::Catalog::room_named(node, &room).unwrap().unwrap().id.clone();
            node.post_message(&Caller::Operator, &room, Draft { text, ..Draft::default() })
        };
        alive.node.call(&Caller::Operator, post).await.unwrap();
    }
}

/// What a client that was away hears, each once: a message may be sent again after a break.
fn each_once(heard: &[String]) -> Vec<String> {
    let mut each = Vec::new();
    for text in heard {
        if !each.contains(text) {
            each.push(text.clone());
        }
    }
    each
}

#[tokio::test]
async fn what_is_said_is_published_as_json_in_order() {
    for version in [Version::V4, Version::V5] {
        let broker = Mosquitto::start().await;
        let reader = broker.subscribe("reader", "out/#", &[]).await;
        let alive = Alive::begin(1);
        let bridge = Bridge::start(&alive, BridgeRule { version, ..outward(&broker, Saying::Json) });
        until("the bridge stands", || bridge.is_connected()).await;
        say(&alive, "garden", &numbers(1..=40)).await;
        until("all are published", || reader.lines().len() >= 40).await;
        let lines: Vec<serde_json::Value> =
            reader.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
        assert_eq!(texts, numbers(1..=40));
        assert_eq!((&lines[0]["room"], &lines[0]["author"]), (&"garden".into(), &"linnet".into()));
        assert!(lines[0]["origin"]["seq"].as_u64() < lines[1]["origin"]["seq"].as_u64());
        until("it knows", || bridge.status.report().sent == 40).await;
    }
}

#[tokio::test]
async fn a_bridge_that_was_away_goes_on_where_it_ended() {
    let broker = Mosquitto::start().await;
    let reader = broker.subscribe("reader", "out/#", &[]).await;
    let mut alive = Alive::begin(2);
    let bridge = Bridge::start(&alive, outward(&broker, plain()));
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &numbers(1..=30)).await;
    until("some are published", || reader.lines().len() >= 5).await;
    bridge.stop().await;
    let stopped_at = reader.lines().len();
    say(&alive, "garden", &numbers(31..=60)).await;
    alive = alive.restart();
    let bridge = Bridge::start(&alive, outward(&broker, plain()));
    until("all are published", || reader.lines().len() >= 60).await;
    assert!(stopped_at < 60);
    assert_eq!(reader.lines(), numbers(1..=60), "a clean stop sends nothing twice");
    bridge.kill().await;
    say(&alive, "garden", &numbers(61..=70)).await;
    let alive = alive.lose_power();
    let _bridge = Bridge::start(&alive, outward(&broker, plain()));
    until("the last is published", || reader.lines().contains(&"number 70".to_owned())).await;
    assert_eq!(each_once(&reader.lines()), numbers(1..=70));
}

#[tokio::test]
async fn a_broker_that_is_killed_gets_what_it_did_not_acknowledge() {
    let mut broker = Mosquitto::start().await;
    let alive = Alive::begin(3);
    let bridge = Bridge::start(&alive, outward(&broker, plain()));
    until("the bridge stands", || bridge.is_connected()).await;
    // A session that Mosquitto keeps: what it acknowledges waits there.
    broker.subscribe("reader", "out/#", &[]).await.leave();
    say(&alive, "garden", &numbers(1..=20)).await;
    // Mosquitto acknowledges a moment before it stores.
    until("they are taken and stored", || bridge.status.report().sent == 20 && broker.stores("number 20"))
        .await;
    broker.kill();
    say(&alive, "garden", &numbers(21..=60)).await;
    until("the bridge notices", || !bridge.is_connected()).await;
    broker.start_again().await;
    let reader = broker.subscribe("reader", "out/#", &[]).await;
    until("the last is heard", || reader.lines().contains(&"number 60".to_owned())).await;
    assert_eq!(each_once(&reader.lines()), numbers(1..=60));
}

#[tokio::test]
async fn a_bridge_says_that_it_is_there_and_the_broker_that_it_is_gone() {
    let broker = Mosquitto::start().await;
    let reader = broker.subscribe("reader", "linnet/+/status", &[]).await;
    let alive = Alive::begin(4);
    let says = |word: &str| format!(r#"{{"state":"{word}","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
    for version in [Version::V4, Version::V5] {
        let mut rule = BridgeRule { version, ..outward(&broker, plain()) };
        rule.status_topic = Some("linnet/porch/status".to_owned());
        let before = reader.lines().len();
        let bridge = Bridge::start(&alive, rule.clone());
        until("its birth", || reader.lines().len() == before + 1).await;
        bridge.kill().await;
        until("its will", || reader.lines().len() == before + 2).await;
        let bridge = Bridge::start(&alive, rule);
        until("its second birth", || reader.lines().len() == before + 3).await;
        bridge.stop().await;
        until("its farewell", || reader.lines().len() == before + 4).await;
        let words = ["online", "offline", "online", "offline"].map(says);
        assert_eq!(reader.lines()[before..], words);
        // Retained: whoever comes later knows.
        let late = broker.subscribe(&format!("late-{version:?}"), "linnet/+/status", &[]).await;
        until("the state is kept", || late.lines() == [says("offline")]).await;
    }
}

#[tokio::test]
async fn what_a_bridge_brought_does_not_go_back() {
    for version in [Version::V4, Version::V5] {
        let broker = Mosquitto::start().await;
        let reader = broker.subscribe("reader", "t/#", &[]).await;
        let alive = Alive::begin(5);
        let mut rule = BridgeRule { version, ..rule(broker.port, "t/#") };
        rule.tells = Some(Tells { topic: "t/garden".to_owned(), saying: plain() });
        let bridge = Bridge::start(&alive, rule);
        until("the bridge stands", || bridge.is_connected()).await;
        broker.publish("t/garden", "from a device", &[]);
        until("it is said", || alive.said("garden").len() == 1).await;
        say(&alive, "garden", &numbers(1..=3)).await;
        until("all are published", || reader.lines().len() >= 4).await;
        // What follows shows that nothing else is on its way.
        broker.publish("t/garden", "the last", &[]);
        until("the last is said", || alive.said("garden").contains(&"the last".to_owned())).await;
        let expected = ["from a device", "number 1", "number 2", "number 3", "the last"];
        assert_eq!(alive.said("garden"), expected);
        assert_eq!(reader.lines(), expected);
    }
}

#[tokio::test]
async fn what_a_broker_will_not_take_holds_up_nothing() {
    let access = |folder: &std::path::Path| {
        std::fs::write(folder.join("access"), "topic read #\ntopic write out/#\n").unwrap();
        format!("acl_file {}/access\nmax_packet_size 2000\n", folder.display())
    };
    let broker = Mosquitto::start_also(&access).await;
    let reader = broker.subscribe("reader", "#", &[]).await;
    let alive = Alive::begin(6);
    let rule = BridgeRule { version: Version::V5, ..outward(&broker, plain()) };
    let bridge = Bridge::start(&alive, rule.clone());
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &["short".to_owned(), "long ".repeat(900), "short again".to_owned()]).await;
    until("both short ones are heard", || reader.lines() == ["short", "short again"]).await;
    until("the long one is told", || bridge.status.report().dropped == 1).await;
    until("both short ones are counted", || bridge.status.report().sent == 2).await;
    bridge.stop().await;
    // Where it may not write, the broker says so, and is not asked again.
    let mut forbidden = rule.clone();
    forbidden.tells.as_mut().unwrap().topic = "forbidden/garden".to_owned();
    let bridge = Bridge::start(&alive, forbidden);
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &["forbidden".to_owned()]).await;
    until("the refusal is told", || bridge.status.report().dropped == 1).await;
    // Mosquitto 2.0.11 closes the connection after it has refused a message.
    bridge.stop().await;
    let _bridge = Bridge::start(&alive, rule);
    say(&alive, "garden", &["the last".to_owned()]).await;
    until("the last is heard", || reader.lines().contains(&"the last".to_owned())).await;
    assert_eq!(reader.lines(), ["short", "short again", "the last"]);
}
