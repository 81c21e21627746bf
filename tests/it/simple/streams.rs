//! What streams tell while they stand, and how they end.

use super::{Stream, bearer, device, say};
use crate::harness::ask::connect;
use crate::harness::site::Served;
use crate::harness::wait::until;
use linnet::base::id::RoomId;
use linnet::chat::message::Draft;
use linnet::chat::name::{Name, Text};
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::UserPatch;
use linnet::node::devices::Rights;
use linnet::node::rooms::NewRoom;
use linnet::node::{Caller, Node};
use std::io::{Read, Write};

#[test]
fn a_post_appears_in_a_stream() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let mut stream = Stream::open(&site, "/garden/json", Some(&porch.key));
    assert!(stream.head.contains("content-type: application/x-ndjson; charset=utf-8\r\n"), "{}", stream.head);
    let open = stream.event("open");
    assert_eq!(open["topic"], "garden");
    let (name, token) = bearer(&porch.key);
    let headers = [(name, token.as_str()), ("Title", "Door"), ("Tags", "warning")];
    let told = site.ask("POST", "/garden", &headers, Some(b"open")).json();
    assert_eq!(stream.event("message"), told);
    assert!(told["seq"].as_u64() > open["seq"].as_u64());
}

#[test]
fn server_sent_events_have_the_ids_a_browser_comes_back_with() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let mut stream = Stream::open(&site, "/garden/sse", Some(&porch.key));
    assert!(stream.head.contains("content-type: text/event-stream"), "{}", stream.head);
    assert_eq!(stream.line().unwrap(), "event: open");
    assert!(stream.line().unwrap().starts_with("data: {"));
    assert_eq!(stream.line().unwrap(), "");
    let first = say(&site, &porch.room.id, "a\nb");
    assert_eq!(stream.line().unwrap(), format!("id: {}", first.id));
    let data = stream.line().unwrap();
    assert!(data.starts_with("data: {") && data.contains(r#""message":"a\nb""#), "{data}");
    assert_eq!(stream.line().unwrap(), "");
    drop(stream);
    let second = say(&site, &porch.room.id, "c");
    let resumed = [bearer(&porch.key), ("Last-Event-ID", first.id.to_string())];
    let mut stream = Stream::open_with(&site, "/garden/sse", &resumed);
    (0..3).for_each(|_| drop(stream.line()));
    assert_eq!(stream.line().unwrap(), format!("id: {}", second.id));
}

#[test]
fn a_websocket_tells_the_same_and_answers_pings() {
    let site = Served::start();
    let display = device(&site, "display", "garden", Rights::Read);
    say(&site, &display.room.id, "before");
    let mut socket = connect(site.address);
    let ask = format!(
        "GET /garden/ws?since=all&auth={} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        display.key, site.address
    );
    socket.write_all(ask.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    let mut frame = || {
        let mut start = [0; 2];
        socket.read_exact(&mut start).unwrap();
        let mut length = usize::from(start[1]);
        if length == 126 {
            let mut long = [0; 2];
            socket.read_exact(&mut long).unwrap();
            length = usize::from(u16::from_be_bytes(long));
        }
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).unwrap();
        (start[0], String::from_utf8_lossy(&payload).into_owned())
    };
    assert!(matches!(frame(), (0x81, text) if text.contains(r#""event":"open""#)));
    assert!(matches!(frame(), (0x81, text) if text.contains(r#""message":"before""#)));
    say(&site, &display.room.id, "now");
    assert!(matches!(frame(), (0x81, text) if text.contains(r#""message":"now""#)));
    site.operator(|node| node.remove_device(&Caller::Operator, "display"));
    assert_eq!(frame(), (0x88, "\u{3}\u{fffd}".to_owned()));
}

#[test]
fn a_stream_ends_where_the_right_ends() {
    let site = Served::start();
    let display = device(&site, "display", "garden", Rights::Read);
    let lamp = device(&site, "lamp", "garden", Rights::Both);
    let (garden, user) = (display.room.id.clone(), lamp.user.id.clone());
    let alice = site.person("alice", &[Role::User]);
    let bob = site.person("bob", &[Role::User]);
    let new = NewRoom {
        members: vec![bob.id.clone()],
        ..NewRoom::named(RoomKind::Private, Name::fixed("workshop"))
    };
    let caller = alice.caller();
    let workshop = site.operator(move |node| node.create_room(&caller, new));
    let mut removed = Stream::open(&site, "/garden/json", Some(&display.key));
    let mut unbound = Stream::open(&site, "/garden/json", Some(&lamp.key));
    let mut kicked = Stream::open(&site, "/workshop/json", Some(&bob.token));
    let mut logged_out = Stream::open(&site, "/garden/json", Some(&alice.token));
    for stream in [&mut removed, &mut unbound, &mut kicked, &mut logged_out] {
        stream.event("open");
    }
    let (caller, room, who) = (alice.caller(), workshop.id.clone(), bob.id.clone());
    let text = |text: &str| Draft { text: Text::parse(text).unwrap(), ..Draft::default() };
    // One group of Changes: nobody can hear the last ones by being quick.
    site.operator(move |node| {
        node.post_message(&Caller::Operator, &garden, text("a"))?;
        node.post_message(&caller, &room, text("a"))?;
        node.remove_device(&Caller::Operator, "display")?;
        node.bind_device(&Caller::Operator, &user, &garden, Rights::Post)?;
        node.kick(&caller, &room, &who)?;
        node.post_message(&caller, &room, text("b"))?;
        node.log_out(&caller)?;
        node.post_message(&Caller::Operator, &garden, text("b"))
    });
    for stream in [&mut removed, &mut unbound, &mut kicked, &mut logged_out] {
        assert_eq!(stream.rest(), ["a"], "{}", stream.head);
    }
}

#[test]
fn a_stream_ends_where_its_device_gets_a_new_key() {
    let site = Served::start();
    let lamp = device(&site, "lamp", "garden", Rights::Both);
    let mut stream = Stream::open(&site, "/garden/json", Some(&lamp.key));
    stream.event("open");
    let garden = lamp.room.id.clone();
    let text = |text: &str| Draft { text: Text::parse(text).unwrap(), ..Draft::default() };
    site.operator(move |node| {
        node.post_message(&Caller::Operator, &garden, text("a"))?;
        node.change_key(&Caller::Operator, "lamp")?;
        node.post_message(&Caller::Operator, &garden, text("b"))
    });
    assert_eq!(stream.rest(), ["a"], "{}", stream.head);
}

#[test]
fn a_right_that_goes_on_for_another_reason_loses_nothing() {
    let site = Served::start();
    let bob = site.person("bob", &[Role::User]);
    let new = NewRoom::named(RoomKind::Public, Name::fixed("garden"));
    let garden = site.operator(move |node| node.create_room(&Caller::Operator, new)).id.clone();
    let mut stream = Stream::open(&site, "/garden/json", Some(&bob.token));
    stream.event("open");
    let text = |text: &str| Draft { text: Text::parse(text).unwrap(), ..Draft::default() };
    site.operator(move |node| {
        node.post_message(&Caller::Operator, &garden, text("a"))?;
        let roles = Some(Roles::of(&[Role::User, Role::Moderator]));
        node.change_user(&Caller::Operator, &bob.id, UserPatch { roles, ..UserPatch::default() })?;
        node.post_message(&Caller::Operator, &garden, text("b"))?;
        node.join_room(&bob.caller(), &garden)?;
        node.post_message(&Caller::Operator, &garden, text("c"))
    });
    assert_eq!([stream.said(), stream.said(), stream.said()], ["a", "b", "c"]);
}

/// Says far more than sockets and the newest Changes in memory hold.
fn say_much(site: &Served, room: &RoomId) {
    let long = "\u{20ac}".repeat(4_900);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for first in (0..MUCH).step_by(30) {
            let mut answers = Vec::new();
            for number in first..first + 30 {
                let text = Text::parse(&format!("{number} {long}")).unwrap();
                let (room, draft) = (room.clone(), Draft { text, ..Draft::default() });
                let post =
                    move |node: &mut Node| node.post_message(&Caller::Operator, &room, draft).map(drop);
                answers.push(site.node.send(&Caller::Operator, post).unwrap());
            }
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
        }
    });
}

const MUCH: usize = 1_500;

#[test]
fn a_reader_that_sleeps_misses_nothing_and_holds_up_nobody() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let mut asleep = Stream::open(&site, "/garden/json", Some(&porch.key));
    asleep.event("open");
    say_much(&site, &porch.room.id);
    let mut awake = Stream::open(&site, "/garden/json?since=latest", Some(&porch.key));
    awake.event("open");
    assert!(awake.said().starts_with(&format!("{} ", MUCH - 1)));
    for number in 0..MUCH {
        let said = asleep.said();
        assert!(said.starts_with(&format!("{number} ")), "number {number}: {:.8}", said);
    }
}

#[test]
fn a_reader_that_does_not_wake_is_given_up_and_can_tell() {
    let site = Served::start_impatient();
    let porch = device(&site, "porch", "garden", Rights::Both);
    say_much(&site, &porch.room.id);
    let mut stream = Stream::open_quickly(&site, "/garden/json?since=all", &porch.key);
    stream.event("open");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(until("it is given up", || site.node.hub.listeners() == 0));
    let mut rest = Vec::new();
    // Either the connection is reset or the body has no end: it does not look as if that were all.
    if stream.reader.read_to_end(&mut rest).is_ok() {
        assert!(!rest.ends_with(b"0\r\n\r\n"));
    }
    assert!(rest.len() < MUCH * 4_900 * 3);
}

#[test]
fn a_silent_stream_shows_that_it_is_alive() {
    let site = Served::start_impatient();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let mut stream = Stream::open_quickly(&site, "/garden/json", &porch.key);
    let open = stream.event("open");
    let alive = stream.event("keepalive");
    assert_eq!((&alive["topic"], &alive["seq"]), (&open["topic"], &open["seq"]));
    assert_ne!(alive["id"], open["id"]);
    let mut polled = Stream::open_quickly(&site, "/garden/json?poll=1", &porch.key);
    assert_eq!(polled.line(), None);
}
