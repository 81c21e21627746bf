//! What 5.0 adds.

use super::client::{Client, Hello, packet, text};
use super::stage::Stage;
use linnet::base::limits::{SUBSCRIPTIONS_MAX, TOPIC_SESSIONS_PER_USER_MAX};
use linnet::node::Caller;

#[test]
fn a_number_stands_for_a_topic_in_both_directions() {
    let stage = Stage::open();
    let mut hello = Hello::new(5, "hears");
    hello.properties.0 = vec![34, 0, 1];
    let mut hears = Client::connect(stage.address, &hello);
    hears.subscribe("a/#", 0);
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    assert!(says.connack.2.windows(3).any(|bytes| bytes == [34, 0, 16]), "{:?}", says.connack);
    says.put("a/long", "1", 0, 0, &[35, 0, 3]);
    says.put("", "2", 0, 0, &[35, 0, 3]);
    says.put("a/other", "3", 0, 0, &[]);
    for (topic, payload, properties) in
        [("a/long", "1", vec![35, 0, 1]), ("", "2", vec![35, 0, 1]), ("a/other", "3", vec![])]
    {
        let told = hears.told();
        assert_eq!(
            (told.topic.as_str(), told.payload.as_str(), told.properties),
            (topic, payload, properties)
        );
    }
    for wrong in [&[35, 0, 4][..], &[35, 0, 17]] {
        let mut says = Client::connect(stage.address, &Hello::new(5, "wrong"));
        says.put("", "x", 0, 0, wrong);
        assert_eq!(says.end(), Some(0x94));
    }
}

#[test]
fn no_more_is_on_its_way_than_the_client_takes() {
    let stage = Stage::open();
    let mut hello = Hello::new(5, "hears");
    hello.properties.0 = vec![33, 0, 2];
    let mut hears = Client::connect(stage.address, &hello);
    hears.subscribe("a", 2);
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    for number in 0..5 {
        says.publish("a", &number.to_string(), 1 + number % 2, false);
    }
    let (first, second) = (hears.told(), hears.told());
    hears.ping();
    hears.ack(0x40, first.packet);
    let third = hears.told();
    hears.ack(0x50, second.packet);
    hears.expect(0x62);
    hears.ping();
    hears.ack(0x70, second.packet);
    let fourth = hears.told();
    assert_eq!((third.payload.as_str(), fourth.payload.as_str()), ("2", "3"));
    // And the broker takes as many as it said: 32 that are not released.
    assert!(says.connack.2.windows(3).any(|bytes| bytes == [33, 0, 32]), "{:?}", says.connack);
    for id in 1..=33 {
        says.put("b", "x", 4, id, &[]);
    }
    assert_eq!(says.end(), Some(0x93));
}

#[test]
fn what_is_longer_than_a_client_takes_does_not_reach_it() {
    let stage = Stage::open();
    let mut hello = Hello::new(5, "hears");
    hello.properties.0 = vec![39, 0, 0, 0, 100];
    let mut hears = Client::connect(stage.address, &hello);
    hears.subscribe("a", 1);
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    // Two for kind and length, three for the topic, two for the packet id, one for no properties.
    for bytes in [93, 100, 92] {
        says.publish("a", &"x".repeat(bytes), 1, false);
    }
    assert_eq!(hears.heard().payload.len(), 92);
    hears.ping();
    // Nor does what is longer than the broker takes reach it.
    says.send(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(says.end(), Some(0x95));
}

#[test]
fn subscriptions_have_numbers_and_wishes() {
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    hears.subscribe_with("a/#", 0x01, &[11, 5]);
    hears.subscribe_with("a/+", 0x0A, &[11, 7]);
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    says.publish("a/b", "x", 2, true);
    let told = hears.heard();
    let mut numbers = told.properties;
    numbers.sort_unstable();
    assert_eq!((numbers, told.qos, told.retain), (vec![5, 7, 11, 11], 2, true));
    // Not what it says itself, where it does not want that; and what others said of it comes along.
    let mut own = Client::connect(stage.address, &Hello::new(5, "own"));
    own.subscribe("b", 0x04);
    own.publish("b", "own", 1, false);
    let user = [vec![38], text("k"), text("v")].concat();
    says.put("b", "other", 0, 0, &user);
    let told = own.heard();
    assert_eq!((told.payload.as_str(), told.properties), ("other", user));
}

#[test]
fn those_who_share_a_subscription_share_what_is_published() {
    let stage = Stage::open();
    let mut members: Vec<Client> = ["m1", "m2", "m3"]
        .iter()
        .map(|name| {
            let mut member = Client::connect(stage.address, &Hello::new(5, name));
            assert_eq!(member.subscribe("$share/g/a/#", 1), 1);
            member
        })
        .collect();
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    for number in 0..30 {
        says.publish("a/b", &number.to_string(), 1, false);
    }
    let mut heard: Vec<u32> = Vec::new();
    for member in &mut members {
        member.send(&[0xC0, 0]);
        loop {
            let next = member.next().unwrap();
            if next.first == 0xD0 {
                break;
            }
            let at = 2 + usize::from(next.body[1]);
            member.ack(0x40, u16::from_be_bytes([next.body[at], next.body[at + 1]]));
            heard.push(String::from_utf8_lossy(&next.body[at + 3..]).parse().unwrap());
        }
    }
    heard.sort_unstable();
    assert_eq!(heard, (0..30).collect::<Vec<_>>());
}

#[test]
fn what_is_over_is_not_told() {
    let stage = Stage::open();
    let hello = Hello::staying(5, "away");
    let mut away = Client::connect(stage.address, &hello);
    away.subscribe("a", 1);
    away.leave();
    let mut says = Client::connect(stage.address, &Hello::new(5, "says"));
    for (payload, seconds) in [("short", 1), ("long", 100)] {
        says.put("a", payload, 2, 1, &[2, 0, 0, 0, seconds]);
        says.expect(0x40);
    }
    let began = std::time::Instant::now();
    while began.elapsed().as_millis() < 1_100 {
        says.ping();
    }
    let mut back = Client::connect(stage.address, &hello);
    let told = back.heard();
    assert_eq!(told.payload, "long");
    assert!(matches!(told.properties[..], [2, 0, 0, 0, 98 | 99]), "{:?}", told.properties);
    back.ping();
}

#[test]
fn an_unsubscribed_filter_is_heard_no_longer() {
    let stage = Stage::open();
    let mut client = Client::connect(stage.address, &Hello::new(5, "c"));
    client.subscribe("a", 0);
    let mut body = vec![0, 3, 0];
    body.extend(text("a"));
    body.extend(text("never"));
    client.send(&packet(0xA2, &body));
    assert_eq!(client.expect(0xB0), [0, 3, 0, 0, 0x11]);
    client.publish("a", "x", 0, false);
    client.ping();
}

#[test]
fn who_keeps_too_much_is_told_so() {
    let stage = Stage::open();
    for number in 0..TOPIC_SESSIONS_PER_USER_MAX {
        let client = format!("c{number}");
        stage.operator(move |node| node.open_topic_session(&Caller::Anonymous, &client, Some(60), false));
    }
    let refused = Client::knock(stage.address, &Hello::staying(5, "more"));
    assert_eq!(refused.connack.1, 0x97);
    assert!(String::from_utf8_lossy(&refused.connack.2).contains("clean"), "{:?}", refused.connack);
    assert_eq!(Client::knock(stage.address, &Hello::staying(4, "more")).connack.1, 3);
    Client::connect(stage.address, &Hello::new(5, "more")).leave();
    let mut known = Client::connect(stage.address, &Hello::staying(5, "c7"));
    for number in 0..SUBSCRIPTIONS_MAX {
        assert_eq!(known.subscribe(&format!("t/{number}"), 1), 1);
    }
    assert_eq!(known.subscribe("more", 1), 0x97);
    assert_eq!(known.subscribe("t/0", 0), 0, "what is there can be changed");
}

#[test]
fn whoever_wants_to_be_silent_for_too_long_is_told_for_how_long_it_may() {
    let stage = Stage::with(|settings| settings.keep_alive_max_s = 1);
    let answer = |keep_alive_s, version| {
        let mut hello = Hello::new(version, "c");
        hello.keep_alive_s = keep_alive_s;
        let client = Client::connect(stage.address, &hello);
        let told = client.connack.2.windows(3).any(|bytes| bytes == [19, 0, 1]);
        (client, told)
    };
    for (keep_alive_s, version, told) in [(120, 5, true), (0, 5, true), (1, 5, false), (120, 4, false)] {
        assert_eq!(answer(keep_alive_s, version).1, told, "{keep_alive_s} {version}");
    }
    assert_eq!(answer(120, 5).0.end(), Some(0x8D), "what it is told holds");
}

#[test]
fn what_a_client_says_of_its_will_goes_with_it_and_what_it_says_of_itself_does_not() {
    let stage = Stage::open();
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    hears.subscribe("gone", 1);
    let property = |key: &str, value: &str| [&[38][..], &text(key), &text(value)].concat();
    let mut hello = Hello::new(5, "mortal");
    hello.will = Some(("gone".into(), "farewell".into(), 1, false));
    hello.properties = (property("of", "itself"), [property("k", "v"), property("k", "w")].concat());
    drop(Client::connect(stage.address, &hello));
    let told = hears.heard();
    assert_eq!((told.payload.as_str(), told.properties), ("farewell", hello.properties.1));
}
