//! Clients that do what no client should.

use super::client::{Client, Hello, packet, text};
use super::stage::Stage;
use linnet::base::limits::MQTT_HALF_CONNECTS_MAX;

#[test]
fn what_is_no_client_is_hung_up_on() {
    let stage = Stage::open();
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xC0, 0],
        packet(0x30, &text("a")),
        vec![0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        vec![0x10, 0xFF, 0xFF, 0xFF, 0x7F],
        packet(0x10, b"\x00\x04MQTT\x09\x02\x00\x00\x00\x00"),
    ] {
        let mut client = Client::raw(stage.address, 4);
        client.send(&bytes);
        while let Some(said) = client.next() {
            assert_eq!(said.first, 0x20, "{said:?}");
            assert_ne!(said.body[1], 0, "{said:?}");
        }
    }
    let mut client = Client::connect(stage.address, &Hello::new(5, "c"));
    client.send(&packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00"));
    assert_eq!(client.end(), Some(0x82));
    for (bytes, reason) in [
        (vec![0x32, 0, 0], 0x81),
        (packet(0x30, &[text("a/#"), vec![0]].concat()), 0x90),
        (vec![0xF0, 0], 0x8C),
    ] {
        let mut client = Client::connect(stage.address, &Hello::new(5, "c"));
        client.send(&bytes);
        assert_eq!(client.end(), Some(reason), "{bytes:?}");
    }
}

#[test]
fn half_connects_keep_nobody_out() {
    let stage = Stage::open();
    let held: Vec<Client> = (0..MQTT_HALF_CONNECTS_MAX + 50)
        .map(|_| {
            let mut client = Client::raw(stage.address, 4);
            client.send(&[0x10]);
            client
        })
        .collect();
    let mut client = Client::connect(stage.address, &Hello::new(4, "c"));
    client.ping();
    // The oldest made room.
    assert_eq!(held.into_iter().next().unwrap().next(), None);
}

#[test]
fn who_says_all_at_once_is_answered_in_full() {
    let stage = Stage::open();
    for _ in 0..20 {
        let mut client = Client::raw(stage.address, 4);
        let hello = packet(0x10, &[b"\x00\x04MQTT\x04\x00\x00\x3C", &text("all at once")[..]].concat());
        let publish = packet(0x34, &[&text("a")[..], &[0, 1], b"x"].concat());
        let unsubscribe = packet(0xA2, &[&[0, 2][..], &text("b")].concat());
        let release = packet(0x62, &[0, 1]);
        // What is kept takes its time; the next one has to wait for it, and is not heard of again.
        client.send(&[hello, publish, unsubscribe, release, vec![0xC0, 0]].concat());
        let kinds: Vec<u8> = (0..5).map(|_| client.next().expect("an answer").first).collect();
        assert!([0x20, 0x50, 0xB0, 0x70, 0xD0].iter().all(|kind| kinds.contains(kind)), "{kinds:x?}");
    }
}

#[test]
fn one_who_does_not_read_costs_the_others_nothing() {
    let stage = Stage::open();
    let mut deaf = Client::connect(stage.address, &Hello::new(4, "deaf"));
    assert_eq!(deaf.subscribe("a", 0), 0);
    let mut hears = Client::connect(stage.address, &Hello::new(4, "hears"));
    assert_eq!(hears.subscribe("a", 1), 1);
    let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
    let payload = "x".repeat(100_000);
    for number in 0..200 {
        says.put("a", &format!("{number} {payload}"), 2, 1, &[]);
        says.expect(0x40);
        assert!(hears.heard().payload.starts_with(&format!("{number} ")));
    }
    // It has heard the beginning, and lost some of the rest.
    assert!(stage.node.hub.topics_counts().dropped > 0);
    assert!(deaf.heard().payload.starts_with("0 "));
}

#[test]
fn a_client_that_floods_is_slowed_down_and_heard_in_order() {
    let stage = Stage::open();
    let mut says = Client::connect(stage.address, &Hello::new(4, "says"));
    // Each waits for the disk; far more than may be under way.
    let mut bytes = Vec::new();
    for id in 1..=2_000u16 {
        let body = [text("a"), id.to_be_bytes().to_vec(), id.to_string().into_bytes()].concat();
        bytes.extend(packet(0x33, &body));
    }
    let mut writer = says.another();
    let writing = std::thread::spawn(move || writer.send(&bytes));
    for id in 1..=2_000u16 {
        assert_eq!(says.expect(0x40)[..2], id.to_be_bytes());
    }
    writing.join().unwrap();
}

#[test]
fn who_is_silent_for_too_long_is_gone() {
    let stage = Stage::open();
    let mut hello = Hello::new(5, "c");
    hello.keep_alive_s = 1;
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    hears.subscribe("will", 0);
    hello.will = Some(("will".into(), "gone".into(), 0, false));
    let began = std::time::Instant::now();
    let client = Client::connect(stage.address, &hello);
    assert_eq!(client.end(), Some(0x8D));
    let took = began.elapsed().as_millis();
    assert!((1_400..5_000).contains(&took), "{took} ms");
    assert_eq!(hears.heard_text(), ("will".into(), "gone".into()));
}
