//! Against a scripted broker: redeliveries, sessions that are gone, rooms and stores that take nothing.

use super::{Bridge, numbers, rule};
use crate::harness::alive::Alive;
use crate::harness::broker::Broker;
use crate::harness::wait::until;
use linnet::chat::user::Role;
use linnet::node::{Caller, Catalog};
use rumqttc::{Packet, QoS, SubscribeReasonCode};

/// More than any broker was seen to send without waiting.
const COUNT: u32 = 1_000;

#[tokio::test]
async fn a_redelivery_of_the_same_packet_and_bytes_is_said_once() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(1);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    assert!(!session.connect.clean_session && session.connect.client_id == "linnet-porch");
    assert_eq!(session.subscribe.filters[0].path, "t/#");
    for (packet, said) in [(1, "a"), (2, "b"), (3, "c")] {
        session.publish(packet, "t/x", said).await;
    }
    assert_eq!(session.acks(3).await, [1, 2, 3]);
    // The connection breaks before the broker has read the acknowledgements.
    drop(session);
    let mut session = broker.accept(true).await;
    assert_eq!(session.subscribe.filters[0].path, "t/#", "the rule may have changed since");
    session.publish_again(2, "t/x", "b").await;
    session.publish_again(3, "t/x", "other bytes").await;
    session.publish_again(4, "t/x", "b").await;
    session.publish(2, "t/x", "b").await;
    assert_eq!(session.acks(4).await, [2, 3, 4, 2]);
    assert_eq!(alive.said("garden"), ["a", "b", "c", "other bytes", "b", "b"]);
    bridge.kill().await;
    let alive = alive.lose_power();
    let _bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(true).await;
    session.publish_again(4, "t/x", "b").await;
    session.publish(5, "t/x", "d").await;
    assert_eq!(session.acks(2).await, [4, 5]);
    assert_eq!(alive.said("garden"), ["a", "b", "c", "other bytes", "b", "b", "d"]);
}

#[tokio::test]
async fn what_is_passed_over_is_acknowledged_in_its_turn() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(2);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(true).await;
    session.publish(10, "t/x", "a").await;
    session.publish_as(11, ("t/x", "state"), |publish| publish.retain = true).await;
    session.publish(12, "of/a/former/rule", "x").await;
    session.publish_as(0, ("t/x", "unacknowledged"), |publish| publish.qos = QoS::AtMostOnce).await;
    session.publish(13, "t/x", "b").await;
    assert_eq!(session.acks(4).await, [10, 11, 12, 13]);
    assert_eq!(alive.said("garden"), ["a", "unacknowledged", "b"]);
    assert_eq!(bridge.status.report().posted, 3);
}

#[tokio::test]
async fn a_room_that_is_gone_does_not_hold_up_the_broker() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(3);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    session.publish(1, "t/x", "a").await;
    assert_eq!(session.acks(1).await, [1]);
    let room = alive.node.read(|reading| Ok(reading.room_named("garden").unwrap().unwrap())).unwrap();
    let remove = move |node: &mut linnet::node::Node| node.remove_room(&Caller::Operator, &room.id);
    alive.node.call(&Caller::Operator, remove).await.unwrap();
    session.publish(2, "t/x", "b").await;
    assert_eq!(session.acks(1).await, [2]);
    assert_eq!((bridge.status.report().posted, bridge.status.report().dropped), (1, 1));
    assert!(bridge.is_connected());
}

#[tokio::test]
async fn what_the_disk_did_not_take_is_not_acknowledged() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(4);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    session.publish(1, "t/x", "a").await;
    assert_eq!(session.acks(1).await, [1]);
    alive.disk.fail_sync_at(1);
    session.publish(2, "t/x", "b").await;
    assert_eq!(session.next().await, None, "no acknowledgement, and the connection ends");
    until("it is told", || bridge.error().contains("cannot be stored")).await;
    bridge.kill().await;
    let alive = alive.lose_power();
    let _bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(true).await;
    session.publish_again(2, "t/x", "b").await;
    assert_eq!(session.acks(1).await, [2]);
    assert_eq!(alive.said("garden"), ["a", "b"]);
}

#[tokio::test]
async fn a_stopping_bridge_acknowledges_what_it_took_and_takes_its_leave() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(5);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    for packet in 1..=30 {
        session.publish(packet, "t/x", &format!("{packet}")).await;
    }
    until("the first is said", || !alive.said("garden").is_empty()).await;
    let stopping = tokio::spawn(bridge.stop());
    let mut acknowledged = 0;
    loop {
        match session.next().await {
            Some(Packet::PubAck(ack)) => acknowledged = ack.pkid,
            Some(Packet::Disconnect) => break,
            other => panic!("neither PUBACK nor DISCONNECT: {other:?}"),
        }
    }
    // A broker that is in the middle of sending would meet an error, and drop the acknowledgements behind it.
    for packet in 31..=300 {
        session.publish(packet, "t/x", "too late").await;
    }
    assert!(!stopping.is_finished(), "the broker has not read all yet, for what the bridge knows");
    drop(session);
    stopping.await.unwrap();
    assert_eq!(alive.said("garden").len(), acknowledged as usize);
}

#[tokio::test]
async fn all_that_a_broker_sends_without_waiting_may_come_again() {
    let broker = Broker::listen().await;
    let mut alive = Alive::begin(8);
    let mut expected = numbers(1..=COUNT);
    let mut bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    for packet in 1..=COUNT as u16 {
        session.publish(packet, "t/x", &format!("number {packet}")).await;
    }
    until("all are said", || alive.said("garden").len() >= expected.len()).await;
    for round in 1..=2 {
        // No acknowledgement was read when the connection breaks, and then the node.
        drop(session);
        if round == 2 {
            bridge.kill().await;
            alive = alive.lose_power();
            bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
        }
        session = broker.accept(true).await;
        for packet in 1..=COUNT as u16 {
            session.publish_again(packet, "t/x", &format!("number {packet}")).await;
        }
        let news = format!("news {round}");
        session.publish(COUNT as u16 + round, "t/x", &news).await;
        expected.push(news);
        assert_eq!(session.acks(COUNT as usize + 1).await.last(), Some(&(COUNT as u16 + round)));
        assert_eq!(alive.said("garden"), expected);
    }
}

#[tokio::test]
async fn a_refused_subscription_is_told() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(6);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let _session = broker.accept_granting(false, SubscribeReasonCode::Failure).await;
    until("it is told", || bridge.error().contains("does not let this user read t/#")).await;
}

#[tokio::test]
async fn a_bridge_speaks_as_a_bot_of_its_name_in_a_room_made_for_it() {
    let broker = Broker::listen().await;
    let alive = Alive::begin(7);
    let _bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    let mut session = broker.accept(false).await;
    session.publish(1, "t/x", "a").await;
    assert_eq!(session.acks(1).await, [1]);
    let user = alive.node.read(|reading| Ok(reading.user_named("porch").unwrap().unwrap())).unwrap();
    assert!(user.is(Role::Bot) && user.password.is_none());
}
