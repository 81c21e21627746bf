//! Coming, publishing, hearing and going.

use super::client::{Client, Hello, text};
use super::stage::Stage;

const VERSIONS: [u8; 3] = [3, 4, 5];

#[test]
fn what_is_published_is_heard_as_sure_as_both_want_it() {
    let stage = Stage::open();
    for version in VERSIONS {
        let mut hears = Client::connect(stage.address, &Hello::new(version, "hears"));
        let mut says = Client::connect(stage.address, &Hello::new(version, "says"));
        for asked in 0..3 {
            assert_eq!(hears.subscribe("a/+", asked), asked);
            for said in 0..3 {
                assert_eq!(says.publish("a/b", "hello", said, false), 0);
                let told = hears.heard();
                assert_eq!((told.topic.as_str(), told.payload.as_str()), ("a/b", "hello"));
                assert_eq!((told.qos, told.retain, told.dup), (asked.min(said), false, false), "{version}");
            }
        }
        hears.ping();
        says.leave();
        hears.leave();
    }
}

#[test]
fn what_one_says_is_heard_in_its_order_whatever_is_kept_of_it() {
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(4, "hears"));
    assert_eq!(hears.subscribe("#", 1), 1);
    let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
    for number in 0..200u16 {
        // Every third is retained and waits for the disk.
        let flags = u8::from(number % 3 == 0) | u8::from(number % 2 == 0) << 1;
        says.put(&format!("t/{}", number % 3), &number.to_string(), flags, number + 1, &[]);
    }
    for number in 0..200 {
        assert_eq!(hears.heard().payload, number.to_string());
    }
}

#[test]
fn what_is_retained_is_told_first_to_whoever_comes_later() {
    let stage = Stage::open();
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    for (topic, payload) in [("s/a", "1"), ("s/b", "2"), ("s/a", "3"), ("t/c", "4")] {
        assert_eq!(says.publish(topic, payload, 1, true), 0);
    }
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    assert_eq!(hears.subscribe("s/#", 1), 1);
    for (topic, payload) in [("s/a", "3"), ("s/b", "2")] {
        let told = hears.heard();
        assert_eq!((told.topic.as_str(), told.payload.as_str(), told.retain), (topic, payload, true));
    }
    // Whether it is told again is up to the subscription: always, when it is new, never.
    assert_eq!(hears.subscribe("s/a", 0x11), 1);
    assert!(hears.heard().retain);
    assert_eq!(hears.subscribe("s/a", 0x11), 1);
    assert_eq!(hears.subscribe("t/c", 0x21), 1);
    hears.ping();
    assert_eq!(says.publish("s/b", "", 1, true), 0);
    assert_eq!(hears.heard_text(), ("s/b".into(), String::new()));
    assert_eq!(hears.subscribe("s/b", 0), 0);
    hears.ping();
}

#[test]
fn a_state_that_is_said_again_is_told_and_writes_nothing() {
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(4, "hears"));
    hears.subscribe("s/a", 0);
    let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
    says.publish("s/a", "on", 1, true);
    let before = stage.node.read(|reading| Ok(reading.newest())).unwrap();
    for _ in 0..10 {
        says.publish("s/a", "on", 1, true);
    }
    for _ in 0..11 {
        assert_eq!(hears.heard().payload, "on");
    }
    assert_eq!(stage.node.read(|reading| Ok(reading.newest())).unwrap(), before);
    says.publish("s/a", "off", 1, true);
    assert_ne!(stage.node.read(|reading| Ok(reading.newest())).unwrap(), before);
}

#[test]
fn a_client_without_a_name_gets_one() {
    let stage = Stage::open();
    let client = Client::connect(stage.address, &Hello::new(5, ""));
    assert!(client.connack.2.windows(3).any(|bytes| bytes == [18, 0, 17]), "{:?}", client.connack);
    client.leave();
    Client::connect(stage.address, &Hello::new(4, "")).leave();
    assert_eq!(Client::knock(stage.address, &Hello::staying(4, "")).connack.1, 2);
}

#[test]
fn the_same_client_comes_once_and_only_as_the_same_user() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &["porch/#"], &["porch/#"]);
    let first = Client::connect(stage.address, &Hello::new(5, "c").by("porch", &key));
    let other = Client::knock(stage.address, &Hello::new(5, "c"));
    assert_eq!(other.connack.1, 0x87, "nobody takes another's place");
    let mut second = Client::connect(stage.address, &Hello::new(5, "c").by("porch", &key));
    assert_eq!(first.end(), Some(0x8E));
    second.ping();
}

#[test]
fn a_will_is_told_when_its_client_is_gone_without_a_word() {
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    hears.subscribe("will/#", 1);
    let dies = |name: &str| {
        let mut hello = Hello::new(5, name);
        hello.will = Some((format!("will/{name}"), "gone".into(), 1, false));
        Client::connect(stage.address, &hello)
    };
    drop(dies("a"));
    assert_eq!(hears.heard_text(), ("will/a".into(), "gone".into()));
    dies("b").leave();
    let mut with_will = dies("c");
    with_will.send(&[0xE0, 1, 4]);
    assert_eq!(hears.heard_text(), ("will/c".into(), "gone".into()));
    // A session that goes on may wait for its client, and the will with it.
    let mut hello = Hello::staying(5, "d");
    hello.will = Some(("will/d".into(), "gone".into(), 1, false));
    hello.properties.1 = vec![24, 0, 0, 0, 60];
    drop(Client::connect(stage.address, &hello));
    hello.will = None;
    Client::connect(stage.address, &hello).leave();
    // One that begins anew has ended the session before, and one that takes its place the connection.
    hello.will = Some(("will/d".into(), "gone".into(), 1, false));
    drop(Client::connect(stage.address, &hello));
    let mut anew = Hello::new(5, "d");
    anew.will = Some(("will/d2".into(), "gone".into(), 1, false));
    let first = Client::connect(stage.address, &anew);
    assert_eq!(hears.heard_text(), ("will/d".into(), "gone".into()));
    Client::connect(stage.address, &Hello::new(5, "d")).leave();
    assert_eq!(first.end(), Some(0x8E));
    assert_eq!(hears.heard_text(), ("will/d2".into(), "gone".into()));
    drop(dies("e"));
    assert_eq!(hears.heard_text(), ("will/e".into(), "gone".into()), "nothing of b and d");
}

#[test]
fn who_does_not_belong_here_is_turned_away() {
    let stage = Stage::with(|settings| settings.anonymous = false);
    let key = stage.device("porch", "garden", &[], &[]);
    let answer = |hello: Hello| Client::knock(stage.address, &hello).connack.1;
    assert_eq!(answer(Hello::new(5, "c")), 0x87);
    assert_eq!(answer(Hello::new(4, "c")), 5);
    assert_eq!(answer(Hello::new(5, "c").by("porch", "dv_wrong")), 0x86);
    assert_eq!(answer(Hello::new(4, "c").by("porch", "dv_wrong")), 4);
    assert_eq!(answer(Hello::new(5, "c").by("pump", &key)), 0x86, "another's key");
    assert_eq!(answer(Hello::new(5, "c").by("porch", &key)), 0);
    let mut hello = Hello::new(5, "c").by("porch", &key);
    hello.properties.0 = [vec![21], text("SCRAM-SHA-1")].concat();
    assert_eq!(answer(hello), 0x8C);
}

#[test]
fn an_end_of_the_node_is_told_and_leaves_no_will() {
    let mut stage = Stage::open();
    let mut hello = Hello::new(5, "c");
    hello.will = Some(("will".into(), "gone".into(), 1, true));
    let client = Client::connect(stage.address, &hello);
    stage.close_door();
    assert_eq!(client.end(), Some(0x8B));
    let will = linnet::chat::topic::Topic::fixed("will");
    assert!(stage.node.read(|reading| reading.retained_of(&will)).unwrap().is_none());
}
