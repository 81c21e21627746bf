//! Sessions that outlive their connections, and the plug.

use super::client::{Client, Hello, reason};
use super::stage::Stage;
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::Value;

#[test]
fn what_was_published_while_a_client_was_away_is_told_when_it_is_back() {
    let stage = Stage::open();
    for version in [3, 4, 5] {
        let client = format!("c{version}");
        let hello = Hello::staying(version, &client);
        let mut away = Client::connect(stage.address, &hello);
        assert!(!away.connack.0);
        assert_eq!(away.subscribe("a/#", 2), 2);
        away.leave();
        let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
        for number in 0..50 {
            says.publish("a/b", &format!("{number}"), number as u8 % 3, false);
        }
        let mut back = Client::connect(stage.address, &hello);
        assert_eq!(back.connack.0, version > 3, "3.1 has no word for it");
        says.publish("a/b", "live", 1, false);
        for number in (0..50).filter(|number| number % 3 > 0) {
            let told = back.heard();
            assert_eq!((told.payload, told.qos), (number.to_string(), number % 3));
        }
        assert_eq!(back.heard().payload, "live");
        back.ping();
        // It takes up nothing when it is to be clean, and leaves nothing.
        back.leave();
        Client::connect(stage.address, &Hello::new(version, &client)).leave();
        assert!(!Client::connect(stage.address, &hello).connack.0);
    }
}

#[test]
fn what_was_not_acknowledged_is_sent_again_as_it_was() {
    let stage = Stage::open();
    for qos in [1, 2] {
        let hello = Hello::staying(5, &format!("c{qos}"));
        let mut hears = Client::connect(stage.address, &hello);
        hears.subscribe("a", qos);
        let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
        says.publish("a", "first", qos, false);
        says.publish("a", "second", qos, false);
        let (first, second) = (hears.told(), hears.told());
        assert!(!first.dup && !second.dup && first.packet != second.packet);
        if qos == 2 {
            hears.ack(0x50, first.packet);
            assert_eq!(hears.expect(0x62)[..2], first.packet.to_be_bytes());
        }
        drop(hears);
        let mut back = Client::connect(stage.address, &hello);
        if qos == 2 {
            assert_eq!(back.expect(0x62)[..2], first.packet.to_be_bytes());
            back.ack(0x70, first.packet);
        } else {
            let again = back.heard();
            assert_eq!((again.dup, again.packet, again.payload.as_str()), (true, first.packet, "first"));
        }
        let again = back.heard();
        assert_eq!((again.dup, again.packet, again.payload.as_str()), (true, second.packet, "second"));
        back.ping();
        back.leave();
        Client::connect(stage.address, &hello).ping();
    }
}

#[test]
fn a_client_that_comes_back_with_another_version_is_told_in_that_one() {
    let stage = Stage::open();
    for (before, after) in [(4, 5), (5, 4)] {
        let client = format!("c{before}");
        let mut hears = Client::connect(stage.address, &Hello::staying(before, &client));
        hears.subscribe("a", 1);
        let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
        says.publish("a", "first", 1, false);
        assert_eq!(hears.told().payload, "first");
        drop(hears);
        let mut back = Client::connect(stage.address, &Hello::staying(after, &client));
        let again = back.heard();
        assert_eq!((again.dup, again.payload.as_str()), (true, "first"));
        says.publish("a", "second", 1, false);
        assert_eq!(back.heard().payload, "second");
        back.ping();
    }
}

/// A node's process, and its broker.
fn serve(desk: &Desk) -> (Process, std::net::SocketAddr) {
    let node = Process::start(desk, "--mqtt 127.0.0.1:0");
    let mqtt = node.mqtt.unwrap();
    (node, mqtt)
}

#[test]
fn what_was_acknowledged_outlives_the_plug() {
    let desk = Desk::with(&[]);
    let (node, mqtt) = serve(&desk);
    let hello = Hello::staying(4, "away");
    let mut away = Client::connect(mqtt, &hello);
    away.subscribe("a/#", 2);
    away.leave();
    let mut says = Client::connect(mqtt, &Hello::new(4, "says"));
    says.publish("state", "on", 1, true);
    for number in 0..100 {
        says.publish("a/b", &number.to_string(), 1 + number as u8 % 2, false);
    }
    node.kill();
    let (node, mqtt) = serve(&desk);
    let mut back = Client::connect(mqtt, &hello);
    assert!(back.connack.0);
    for number in 0..100 {
        assert_eq!(back.heard().payload, number.to_string());
    }
    back.ping();
    assert_eq!(back.subscribe("state", 0), 0);
    assert_eq!(back.heard_text(), ("state".into(), "on".into()));
    back.leave();
    assert_eq!(node.stop(), 0);
}

#[test]
fn exactly_once_is_once_across_the_plug_on_both_sides() {
    let desk = Desk::with(&[]);
    let (node, mqtt) = serve(&desk);
    let (says, hears) = (Hello::staying(4, "says"), Hello::staying(4, "hears"));
    let mut listener = Client::connect(mqtt, &hears);
    listener.subscribe("a", 2);
    let mut speaker = Client::connect(mqtt, &says);
    // The broker has it and said so; whether the word arrived, nobody knows.
    speaker.put("a", "once", 4, 77, &[]);
    assert_eq!(reason(&speaker.expect(0x50)), 0);
    let told = listener.told();
    assert_eq!(told.payload, "once");
    listener.ack(0x50, told.packet);
    assert_eq!(listener.expect(0x62)[..2], told.packet.to_be_bytes());
    node.kill();

    let (node, mqtt) = serve(&desk);
    let mut speaker = Client::connect(mqtt, &says);
    assert!(speaker.connack.0);
    speaker.put("a", "once", 4 | 8, 77, &[]);
    assert_eq!(reason(&speaker.expect(0x50)), 0);
    let mut listener = Client::connect(mqtt, &hears);
    assert_eq!(listener.expect(0x62)[..2], told.packet.to_be_bytes(), "it has it, and nothing else comes");
    listener.ack(0x70, told.packet);
    listener.ping();
    node.kill();

    let (node, mqtt) = serve(&desk);
    let mut speaker = Client::connect(mqtt, &says);
    speaker.ack(0x62, 77);
    speaker.expect(0x70);
    speaker.put("a", "twice", 4, 77, &[]);
    assert_eq!(reason(&speaker.expect(0x50)), 0);
    let mut listener = Client::connect(mqtt, &hears);
    // It may be asked again whether it has let go of the number; nothing is told again.
    let mut next = listener.next().unwrap();
    if next.first == 0x62 {
        assert_eq!(next.body[..2], told.packet.to_be_bytes());
        listener.ack(0x70, told.packet);
        next = listener.next().unwrap();
    }
    assert!(next.first >> 4 == 3 && next.body.ends_with(b"twice"), "{next:?}");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_session_ends_when_its_time_is_over() {
    let stage = Stage::open();
    let mut hello = Hello::staying(5, "c");
    let mut client = Client::connect(stage.address, &hello);
    client.subscribe("a", 1);
    // It does not want to be kept after all.
    client.send(&[0xE0, 7, 0, 5, 17, 0, 0, 0, 0]);
    assert_eq!(client.next(), None);
    assert!(!Client::connect(stage.address, &hello).connack.0);
    hello.properties.0.clear();
    hello.clean = true;
    let mut client = Client::connect(stage.address, &hello);
    client.send(&[0xE0, 7, 0, 5, 17, 0, 0, 0, 9]);
    assert_eq!(client.end(), Some(0x82), "what was to end cannot be kept");
}

#[test]
fn what_was_told_at_least_once_is_told_again_with_its_number_after_the_plug() {
    let desk = Desk::with(&[]);
    let (node, mqtt) = serve(&desk);
    let hello = Hello::staying(4, "hears");
    let mut hears = Client::connect(mqtt, &hello);
    hears.subscribe("a/#", 1);
    let mut says = Client::connect(mqtt, &Hello::new(4, "says"));
    for payload in ["one", "two", "three"] {
        says.publish("a/b", payload, 1, false);
    }
    let told = [hears.told(), hears.told(), hears.told()];
    assert!(told.iter().all(|told| !told.dup));
    hears.ack(0x40, told[1].packet);
    hears.ping();
    node.kill();

    let (node, mqtt) = serve(&desk);
    let mut says = Client::connect(mqtt, &Hello::new(4, "says"));
    says.publish("a/b", "four", 1, false);
    let mut hears = Client::connect(mqtt, &hello);
    // What it had acknowledged may come again too: the node notes that now and then.
    for told in told {
        let again = hears.heard();
        assert_eq!((again.packet, again.payload), (told.packet, told.payload));
        assert!(again.dup, "it was sent before");
    }
    let fresh = hears.heard();
    assert_eq!((fresh.payload.as_str(), fresh.dup), ("four", false));
    hears.ping();
    hears.leave();
    // Of one that left in order it is known what it has heard, and that nothing was sent since.
    says.publish("a/b", "five", 1, false);
    node.kill();
    let (node, mqtt) = serve(&desk);
    let mut hears = Client::connect(mqtt, &hello);
    let fresh = hears.heard();
    assert_eq!((fresh.payload.as_str(), fresh.dup), ("five", false));
    hears.ping();
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_is_said_in_a_room_exactly_once_is_said_once_across_the_plug() {
    let desk = Desk::with(&[]);
    let (node, mqtt) = serve(&desk);
    let added: Value = serde_json::from_str(&desk.run("device add porch --room garden --json").out).unwrap();
    let key = added["token"].as_str().unwrap();
    let room = "linnet/room/garden/";
    let hello = Hello::staying(4, "says").by("porch", key);
    let ears = Hello::staying(4, "hears").by("porch", key);
    let mut says = Client::connect(mqtt, &hello);
    says.put(&format!("{room}post"), "once", 4, 77, &[]);
    assert_eq!(reason(&says.expect(0x50)), 0);
    let mut hears = Client::connect(mqtt, &ears);
    assert_eq!(hears.subscribe(&format!("{room}msg"), 1), 1);
    node.kill();

    let (node, mqtt) = serve(&desk);
    let mut says = Client::connect(mqtt, &hello);
    assert!(says.connack.0);
    says.put(&format!("{room}post"), "once", 4 | 8, 77, &[]);
    assert_eq!(reason(&says.expect(0x50)), 0);
    says.ack(0x62, 77);
    says.expect(0x70);
    // Released, the number stands for something new, although it says the same.
    says.put(&format!("{room}post"), "once", 4, 77, &[]);
    assert_eq!(reason(&says.expect(0x50)), 0);
    says.ack(0x62, 77);
    says.expect(0x70);
    says.publish(&format!("{room}post"), "the last", 2, false);
    let mut hears = Client::connect(mqtt, &ears);
    for text in ["once", "the last"] {
        let told = hears.heard().payload;
        assert!(told.contains(&format!("\"text\":\"{text}\"")), "{told}");
    }
    hears.ping();
    assert_eq!(node.stop(), 0);
}

/// A client of 5.0 with a will that is a topic's state, after so many seconds, and a session of an hour.
fn mortal(client: &str, delay_s: u8) -> Hello {
    let mut hello = Hello::staying(5, client);
    hello.will = Some((format!("alive/{client}"), "no".into(), 1, true));
    hello.properties.1 = vec![24, 0, 0, 0, delay_s];
    hello
}

#[test]
fn wills_outlive_the_plug() {
    let desk = Desk::with(&[]);
    let (node, mqtt) = serve(&desk);
    let mut says = Client::connect(mqtt, &Hello::new(4, "says"));
    let all = ["at-once", "waits", "returns", "leaves", "late"];
    let mut clients: Vec<Client> = Vec::new();
    for (client, delay_s) in all.iter().zip([0, 1, 100, 0, 100]) {
        says.publish(&format!("alive/{client}"), "yes", 1, true);
        clients.push(Client::connect(mqtt, &mortal(client, delay_s)));
    }
    clients.pop();
    clients.pop().unwrap().leave();
    says.publish("synced", "", 1, true);
    node.kill();

    let (node, mqtt) = serve(&desk);
    let mut returned = Client::connect(mqtt, &mortal("returns", 100));
    assert!(returned.connack.0);
    let mut hears = Client::connect(mqtt, &Hello::new(5, "hears"));
    assert_eq!(hears.subscribe("alive/+", 1), 1);
    let mut dead = std::collections::BTreeSet::new();
    while dead.len() < 2 {
        let told = hears.heard();
        if told.payload == "no" {
            dead.insert(told.topic);
        }
    }
    assert_eq!(dead.into_iter().collect::<Vec<_>>(), ["alive/at-once", "alive/waits"]);
    returned.ping();
    returned.leave();
    // What was published once is not published again.
    let mut says = Client::connect(mqtt, &Hello::new(4, "says"));
    says.publish("alive/at-once", "yes", 1, true);
    node.kill();
    let (node, mqtt) = serve(&desk);
    let mut hears = Client::connect(mqtt, &Hello::new(5, "hears"));
    for (client, state) in all.iter().zip(["yes", "no", "yes", "yes", "yes"]) {
        assert_eq!(hears.subscribe(&format!("alive/{client}"), 1), 1);
        assert_eq!(hears.heard_text(), (format!("alive/{client}"), state.to_string()));
    }
    assert_eq!(node.stop(), 0);
}
