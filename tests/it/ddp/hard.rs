//! Clients that are slow, broken or hostile.

use super::client::{Client, Next};
use crate::harness::ask::connect;
use crate::harness::site::Served;
use linnet::base::limits::{
    DDP_KERNEL_BYTES, DDP_MESSAGE_BYTES_MAX, DDP_STRANGER_BYTES_MAX, DDP_SUBSCRIPTIONS_MAX, TAIL_BYTES_MAX,
};
use linnet::chat::user::Role;
use serde_json::{Value, json};
use std::io::{Read, Write};
use tokio_tungstenite::tungstenite::Message;

const ROOM: &str = "stream-room-messages";

#[test]
fn a_slow_reader_slows_nobody_and_is_told_to_reload() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let stream = connect(served.address);
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 4_096).unwrap();
    let mut slow = Client::over(&served, stream, "/websocket");
    slow.begin();
    slow.resume(&bob);
    slow.listen(ROOM, "GENERAL");
    let mut quick = Client::of(&served, &bob);
    quick.listen(ROOM, "GENERAL");
    let mut hers = Client::of(&served, &alice);
    // More than the kernel takes for him, and then more than the node remembers.
    let long = "x".repeat(5_000);
    let posts = (8 * DDP_KERNEL_BYTES + 2 * TAIL_BYTES_MAX) / long.len();
    for number in 0..posts {
        hers.post("GENERAL", &format!("{number} {}", &long[10..]));
        assert_eq!(number_of(&quick.hear()), number, "the quick one hears everything at once");
    }
    rustix::net::sockopt::set_socket_recv_buffer_size(slow.socket.get_ref(), 1024 * 1024).unwrap();
    let mut expected = 0;
    let end = loop {
        match slow.next() {
            Next::Text(text) => {
                let heard: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(number_of(&heard), expected, "what he hears has no gap");
                expected += 1;
            }
            Next::Closed(code) => break code,
        }
    };
    assert_eq!(end, 1013);
    assert!(expected > 0 && expected < posts, "{expected} of {posts}");
}

fn number_of(heard: &Value) -> usize {
    let text = heard["fields"]["args"][0]["msg"].as_str().unwrap_or_else(|| panic!("no message: {heard}"));
    text.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn too_much_and_the_wrong_kind_end_the_session() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let cases = [
        (Message::text("x".repeat(DDP_STRANGER_BYTES_MAX + 1)), false, 1009),
        (Message::text("x".repeat(DDP_MESSAGE_BYTES_MAX + 1)), true, 1009),
        (Message::text("x".repeat(40 * DDP_MESSAGE_BYTES_MAX)), true, 1009),
        (Message::binary(vec![1, 2, 3]), true, 1003),
    ];
    for (message, logged_in, code) in cases {
        let mut client = Client::stranger(&served);
        if logged_in {
            client.resume(&bob);
        }
        // The node may hang up before all of it is sent.
        let _ = client.socket.send(message);
        assert_eq!(client.hear_end(), code);
    }
}

#[test]
fn a_frame_that_claims_to_be_endless_is_not_waited_for() {
    let served = Served::start();
    let mut client = Client::stranger(&served);
    let bomb = [&[0x81, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    client.socket.get_mut().write_all(&bomb).unwrap();
    assert_eq!(client.hear_end(), 1009);
}

#[test]
fn garbage_is_answered_and_the_session_goes_on() {
    let served = Served::start();
    let mut client = Client::open(&served, "/websocket");
    for garbage in ["", "x", "[]", "{}", "{\"msg\":\"method\"}", "{\"msg\":\"fly\",\"id\":\"1\"}"] {
        client.send(garbage);
        assert_eq!(client.hear()["msg"], "error", "{garbage}");
    }
    client.say(&json!({ "msg": "sub", "id": "1", "name": ROOM, "params": ["GENERAL"] }));
    assert_eq!(client.hear()["reason"], "Must connect first");
    client.say(&json!({ "msg": "ping", "id": "p" }));
    assert_eq!(client.hear(), json!({ "msg": "pong", "id": "p" }));
    client.begin();
    client.socket.send(Message::Ping("sign of life".into())).unwrap();
    match client.socket.read().unwrap() {
        Message::Pong(payload) => assert_eq!(payload, "sign of life"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_version_is_told_which_one_would_do() {
    let served = Served::start();
    let mut client = Client::open(&served, "/websocket");
    client.say(&json!({ "msg": "connect", "version": "7", "support": ["7"] }));
    assert_eq!(client.hear(), json!({ "msg": "failed", "version": "1" }));
    assert_eq!(client.hear_end(), 1000);
}

#[test]
fn random_bytes_never_harm_the_node() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let world = linnet::base::world::SimWorld::new(17);
    for _ in 0..60 {
        let mut client = Client::stranger(&served);
        let mut bytes = vec![0; 64 + (world.next() % 512) as usize];
        linnet::base::world::World::fill(&world, &mut bytes);
        // Half of them begin as a text of a client, so that it is the text that is random.
        if world.next().is_multiple_of(2) {
            bytes[..2].copy_from_slice(&[0x81, 0x80 | 40]);
        }
        let stream = client.socket.get_mut();
        stream.write_all(&bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // It is heard out and closed; nothing hangs.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert_eq!(Client::of(&served, &bob).post("GENERAL", "still here")["msg"], "still here");
}

#[test]
fn subscriptions_of_one_client_are_bounded() {
    let served = Served::start();
    let mut client = Client::stranger(&served);
    for _ in 0..DDP_SUBSCRIPTIONS_MAX {
        client.subscribe("meteor_autoupdate_clientVersions", json!([])).unwrap();
    }
    let error = client.subscribe("meteor_autoupdate_clientVersions", json!([])).unwrap_err();
    assert_eq!(error["error"], "too-many-subscriptions");
}

#[test]
fn whoever_may_not_hear_is_told_so() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let alice = served.person("alice", &[Role::User]);
    let room =
        Client::of(&served, &alice).call("createPrivateGroup", json!(["attic"])).unwrap()["rid"].clone();
    let mut stranger = Client::stranger(&served);
    let mut his = Client::of(&served, &bob);
    let hers = format!("{}/subscriptions-changed", alice.id);
    let deletions = format!("{}/deleteMessage", room.as_str().unwrap());
    for (name, event, error) in [
        (ROOM, room.as_str().unwrap(), json!("not-allowed")),
        (ROOM, "nowhere", json!("not-allowed")),
        ("stream-notify-room", &deletions, json!("not-allowed")),
        ("stream-notify-user", &hers, json!("not-allowed")),
        (ROOM, "", json!("invalid-event-name")),
        ("stream-nothing", "x", json!(404)),
    ] {
        let refused = his.subscribe(name, json!([event, false])).unwrap_err();
        assert_eq!(refused["error"], error, "{name} {event}");
    }
    assert_eq!(stranger.subscribe(ROOM, json!(["GENERAL"])).unwrap_err()["error"], "not-allowed");
    assert_eq!(
        stranger.call("noSuchMethod", json!([])).unwrap_err()["reason"],
        "Method 'noSuchMethod' not found"
    );
}
