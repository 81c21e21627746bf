//! Groups that share a subscription: nothing they were promised is lost, whoever of them goes.

use super::client::{Client, Hello};
use super::stage::Stage;
use crate::harness::process::Process;
use crate::program::Desk;
use std::net::SocketAddr;

const SHARED: &str = "$share/g/t/#";

fn member(address: SocketAddr, hello: &Hello) -> Client {
    let mut client = Client::connect(address, hello);
    assert_eq!(client.subscribe(SHARED, 1), 1);
    client
}

fn says(address: SocketAddr, payloads: std::ops::Range<u32>) {
    let mut says = Client::connect(address, &Hello::new(4, "says"));
    payloads.for_each(|number| assert_eq!(says.publish("t/a", &number.to_string(), 1, false), 0));
    says.leave();
}

/// So many publications, each acknowledged.
fn heard(client: &mut Client, count: u32) -> Vec<u32> {
    (0..count).map(|_| client.heard().payload.parse().unwrap()).collect()
}

#[test]
fn what_one_who_goes_did_not_acknowledge_another_gets() {
    let stage = Stage::open();
    for (version, goes) in [(4, Hello::new(4, "a")), (5, Hello::new(5, "a")), (5, Hello::staying(5, "a"))] {
        for stays in [Hello::new(version, "b"), Hello::staying(version, "b")] {
            let mut goes = member(stage.address, &goes);
            says(stage.address, 0..4);
            let told: Vec<_> = (0..4).map(|_| goes.told()).collect();
            goes.ack(0x40, told[1].packet);
            goes.ping();
            let mut other = member(stage.address, &stays);
            other.ping();
            drop(goes);
            assert_eq!(heard(&mut other, 3), [0, 2, 3], "{version} {stays:?}");
            other.ping();
            other.leave();
            for client in ["a", "b"] {
                Client::connect(stage.address, &Hello::new(5, client)).leave();
            }
        }
    }
}

#[test]
fn while_all_are_away_what_is_published_waits_for_the_first_who_comes() {
    let stage = Stage::open();
    let (a, b) = (Hello::staying(4, "a"), Hello::staying(5, "b"));
    let mut first = member(stage.address, &a);
    member(stage.address, &b).leave();
    says(stage.address, 0..3);
    let told: Vec<_> = (0..3).map(|_| first.told()).collect();
    first.ack(0x40, told[2].packet);
    first.ping();
    drop(first);
    says(stage.address, 3..400);
    // It gets what the other had not acknowledged, and what came since; the other nothing of it any more.
    let mut second = Client::connect(stage.address, &b);
    assert!(second.connack.0);
    let wanted: Vec<u32> = [0, 1].into_iter().chain(3..400).collect();
    assert_eq!(heard(&mut second, 399), wanted);
    second.ping();
    let mut first = Client::connect(stage.address, &a);
    assert!(first.connack.0);
    first.ping();
    says(stage.address, 400..402);
    let mut both = [first.heard().payload, second.heard().payload];
    both.sort();
    assert_eq!(both, ["400", "401"]);
    first.ping();
    second.ping();
}

#[test]
fn who_comes_back_first_itself_is_sent_the_same_again() {
    let stage = Stage::open();
    let a = Hello::staying(4, "a");
    let mut client = member(stage.address, &a);
    says(stage.address, 0..2);
    let told = [client.told(), client.told()];
    drop(client);
    says(stage.address, 2..3);
    let mut back = Client::connect(stage.address, &a);
    for told in told {
        let again = back.heard();
        assert_eq!((again.dup, again.packet, again.payload), (true, told.packet, told.payload));
    }
    let fresh = back.heard();
    assert_eq!((fresh.dup, fresh.payload.as_str()), (false, "2"));
    back.ping();
    // Another connection of the same client takes it over from the old one too.
    says(stage.address, 3..4);
    let told = back.told();
    let mut over = Client::connect(stage.address, &a);
    let again = over.heard();
    assert_eq!((again.dup, again.packet, again.payload), (true, told.packet, told.payload));
    over.ping();
}

#[test]
fn a_group_is_gone_with_the_last_session_that_is_kept() {
    let stage = Stage::open();
    let sessions = || stage.node.read(|reading| reading.topic_sessions()).unwrap().len();
    let (a, b) = (Hello::staying(4, "a"), Hello::staying(4, "b"));
    let mut first = member(stage.address, &a);
    member(stage.address, &b).leave();
    assert_eq!(sessions(), 3);
    Client::connect(stage.address, &Hello::new(4, "b")).leave();
    assert_eq!(sessions(), 2);
    first.send(&super::client::packet(0xA2, &[&[0, 1][..], &super::client::text(SHARED)].concat()));
    first.expect(0xB0);
    assert_eq!(sessions(), 1);
    says(stage.address, 0..3);
    assert_eq!(first.subscribe(SHARED, 1), 1);
    says(stage.address, 3..4);
    assert_eq!(heard(&mut first, 1), [3], "what came while nobody wanted it is not told");
    first.ping();
    // Nobody takes the place of a group's own session.
    assert_eq!(Client::knock(stage.address, &Hello::staying(5, SHARED)).connack.1, 0x85);
    // What a session shares it is told at least once.
    assert_eq!(first.subscribe("$share/h/x", 2), 1);
}

#[test]
fn what_was_begun_exactly_once_goes_to_nobody_else() {
    let stage = Stage::open();
    let mut goes = Client::connect(stage.address, &Hello::new(5, "a"));
    assert_eq!(goes.subscribe(SHARED, 2), 2);
    let mut speaks = Client::connect(stage.address, &Hello::new(4, "says"));
    speaks.publish("t/a", "one", 2, false);
    assert_eq!(goes.told().payload, "one");
    let mut other = member(stage.address, &Hello::staying(5, "b"));
    drop(goes);
    speaks.publish("t/a", "two", 2, false);
    assert_eq!(other.heard().payload, "two");
    other.ping();
}

#[test]
fn what_a_group_has_not_acknowledged_outlives_the_plug() {
    let desk = Desk::with(&[]);
    let serve = || {
        let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
        let mqtt = node.mqtt.unwrap();
        (node, mqtt)
    };
    let (node, mqtt) = serve();
    let (a, b) = (Hello::staying(4, "a"), Hello::staying(4, "b"));
    member(mqtt, &a).leave();
    let mut here = member(mqtt, &b);
    says(mqtt, 0..3);
    assert_eq!(heard(&mut here, 2), [0, 1]);
    assert_eq!(here.told().payload, "2");
    here.leave();
    says(mqtt, 3..6);
    node.kill();
    let (node, mqtt) = serve();
    says(mqtt, 6..8);
    let mut back = Client::connect(mqtt, &a);
    assert!(back.connack.0);
    assert_eq!(heard(&mut back, 6), [2, 3, 4, 5, 6, 7]);
    back.ping();
    // The plug while one has it under way.
    says(mqtt, 8..9);
    assert_eq!(back.told().payload, "8");
    node.kill();
    let (node, mqtt) = serve();
    let mut other = Client::connect(mqtt, &b);
    let told = std::iter::from_fn(|| Some(other.heard().payload.parse::<u32>().unwrap()));
    let told: Vec<u32> = told.take_while(|number| *number != 8).collect();
    assert!(told.iter().all(|number| (2..8).contains(number)), "at least once, and in order: {told:?}");
    other.ping();
    let mut back = Client::connect(mqtt, &a);
    back.ping();
    assert_eq!(node.stop(), 0);
}
