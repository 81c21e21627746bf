//! Against a scripted broker: what a bridge sends, what it waits for, and what it sends again.

use super::outward::say;
use super::{Bridge, numbers, rule};
use crate::harness::alive::Alive;
use crate::harness::broker::{Broker, Session};
use crate::harness::wait::until;
use linnet::base::limits::BRIDGE_WINDOW_MAX;
use linnet::doors::mqtt::bridge::rule::{BridgeRule, Tells};
use linnet::doors::mqtt::bridge::saying::{Form, Saying};
use rumqttc::{Packet, PubAck, Publish, QoS};

fn spoken(port: u16) -> BridgeRule {
    let saying = Saying::Form(Form::parse("{text}").unwrap());
    let tells = Some(Tells { topic: "out".to_owned(), saying });
    BridgeRule { hears: None, tells, ..rule(port, "unused") }
}

async fn published(session: &mut Session, count: usize) -> Vec<Publish> {
    let mut all = Vec::new();
    while all.len() < count {
        match session.next().await {
            Some(Packet::Publish(publish)) => all.push(publish),
            other => panic!("no PUBLISH but {other:?}"),
        }
    }
    all
}

fn texts(all: &[Publish]) -> Vec<String> {
    all.iter().map(|publish| String::from_utf8(publish.payload.to_vec()).unwrap()).collect()
}

fn packets(all: &[Publish]) -> Vec<u16> {
    all.iter().map(|publish| publish.pkid).collect()
}

#[tokio::test]
async fn a_broker_that_acknowledges_nothing_gets_no_more_than_a_window() {
    let window = BRIDGE_WINDOW_MAX as u32;
    let broker = Broker::listen().await;
    let alive = Alive::begin(1);
    let bridge = Bridge::start(&alive, spoken(broker.port));
    let mut session = broker.accept_speaker().await;
    assert!(session.connect.clean_session, "nothing has to be kept for a bridge that hears nothing");
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &numbers(1..=3 * window)).await;
    let first = published(&mut session, BRIDGE_WINDOW_MAX).await;
    assert_eq!(texts(&first), numbers(1..=window));
    assert!(first.iter().all(|publish| publish.qos == QoS::AtLeastOnce && !publish.dup && !publish.retain));
    // The second is acknowledged, then the first: two more come, and nothing else.
    for publish in [&first[1], &first[0]] {
        session.send(&Packet::PubAck(PubAck::new(publish.pkid))).await;
    }
    let more = published(&mut session, 2).await;
    assert_eq!(texts(&more), numbers(window + 1..=window + 2));
    until("both are counted", || bridge.status.report().sent == 2).await;
    session.send(&Packet::PingResp).await;
    drop(session);
    // What was not acknowledged comes again under its own packet ids, and is marked so; what is new is not.
    let mut session = broker.accept_speaker().await;
    let again = published(&mut session, BRIDGE_WINDOW_MAX).await;
    assert_eq!(texts(&again), numbers(3..=window + 2));
    assert_eq!(packets(&again[..BRIDGE_WINDOW_MAX - 2]), packets(&first[2..]));
    assert_eq!(packets(&again[BRIDGE_WINDOW_MAX - 2..]), packets(&more));
    assert!(again.iter().all(|publish| publish.dup));
    session.send(&Packet::PubAck(PubAck::new(again[0].pkid))).await;
    let new = published(&mut session, 1).await;
    assert!(!new[0].dup && texts(&new) == numbers(window + 3..=window + 3));
}

#[tokio::test]
async fn a_node_without_power_sends_what_was_not_acknowledged_under_the_same_packet_ids() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(2);
    let bridge = Bridge::start(&alive, spoken(broker.port));
    let mut session = broker.accept_speaker().await;
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &numbers(1..=5)).await;
    let first = published(&mut session, 5).await;
    for publish in &first[..3] {
        session.send(&Packet::PubAck(PubAck::new(publish.pkid))).await;
    }
    until("they are counted", || bridge.status.report().sent == 3).await;
    bridge.kill().await;
    let alive = alive.lose_power();
    let _bridge = Bridge::start(&alive, spoken(broker.port));
    let mut session = broker.accept_speaker().await;
    // The place is written now and then: some that were acknowledged may come again, none is left out.
    let again = published(&mut session, 5).await;
    assert_eq!((texts(&again), packets(&again)), (texts(&first), packets(&first)));
}

#[tokio::test]
async fn a_clean_stop_waits_for_what_is_on_its_way_and_remembers() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(3);
    let mut rule = spoken(broker.port);
    rule.status_topic = Some("linnet/porch/status".to_owned());
    let bridge = Bridge::start(&alive, rule.clone());
    let mut session = broker.accept_speaker().await;
    let will = session.connect.last_will.clone().unwrap();
    assert!(will.retain && will.qos == QoS::AtLeastOnce && will.topic == "linnet/porch/status");
    let birth = published(&mut session, 1).await.remove(0);
    assert!(birth.retain && birth.topic == "linnet/porch/status");
    until("the bridge stands", || bridge.is_connected()).await;
    say(&alive, "garden", &numbers(1..=3)).await;
    let sent = published(&mut session, 3).await;
    let stopping = tokio::spawn(bridge.stop());
    let farewell = published(&mut session, 1).await.remove(0);
    assert!(farewell.retain && farewell.payload.starts_with(br#"{"state":"offline""#));
    for publish in sent.iter().chain([&farewell]) {
        session.send(&Packet::PubAck(PubAck::new(publish.pkid))).await;
    }
    assert!(matches!(session.next().await, Some(Packet::Disconnect)));
    drop(session);
    stopping.await.unwrap();
    let alive = alive.restart();
    let _bridge = Bridge::start(&alive, spoken(broker.port));
    let mut session = broker.accept_speaker().await;
    say(&alive, "garden", &["the next".to_owned()]).await;
    assert_eq!(texts(&published(&mut session, 1).await), ["the next"]);
}
