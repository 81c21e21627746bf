//! Rocket.Chat's shapes, one golden file a case. `BLESS=1` writes them anew.

use crate::harness::life::Life;
use linnet::base::id::{MessageId, RoomId, Seq};
use linnet::chat::message::{Author, Guise, Message, MessageKind, Notice, Reaction};
use linnet::chat::name::{Name, Opaque, Text};
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::doors::http::wire::{Dates, message, room, subscription, user};
use linnet::node::Catalog;
use linnet::node::rooms::{NewRoom, RoomPatch};
use std::path::PathBuf;

/// Compares with the golden file, or writes it.
fn check(name: &str, json: &impl serde::Serialize) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/wire").join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(json).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs: look at it, then run with BLESS=1", path.display());
}

/// A node with alice, bob and their rooms; ids repeat with the seed.
fn life() -> Life {
    let mut life = Life::begin(11);
    life.world.serve_time(1_714_564_800_000);
    life.user("alice", &[Role::Admin, Role::User]);
    life.user("bob", &[Role::User]);
    life
}

fn said(life: &Life, text: &str) -> Message {
    let alice = life.parts.reading.user_named("alice").unwrap().unwrap();
    Message {
        id: MessageId::fixed("said"),
        seq: Seq(7),
        room: RoomId::fixed("GENERAL"),
        author: Author { id: alice.id.clone(), username: alice.username.clone(), name: "Alice A.".into() },
        at: 1_714_564_800_123,
        trusted: true,
        kind: MessageKind::Said,
        text: Text::parse(text).unwrap(),
        thread: None,
        edited: None,
        touched: 1_714_564_800_123,
        reactions: Vec::new(),
        notice: None,
        guise: None,
        extra: None,
    }
}

#[test]
fn messages_are_written_as_clients_know_them() {
    let life = life();
    let books = &life.parts.reading;
    let plain = said(&life, "hello @bob, see #general \"quoted\" \u{1F426}");
    check("message-plain", &message::shown(&plain, Dates::Iso, books));
    check("message-plain-ejson", &message::shown(&plain, Dates::Ejson, books));
    let bob = books.user_named("bob").unwrap().unwrap();
    let by = |user: &linnet::chat::user::User| (user.id.clone(), user.username.clone());
    let full = Message {
        thread: MessageId::parse("parent"),
        edited: Some((1_714_564_900_000, bob.id.clone(), bob.username.clone())),
        touched: 1_714_564_900_000,
        trusted: false,
        reactions: vec![Reaction { emoji: "smile".into(), by: vec![by(&bob)] }],
        notice: Some(Box::new(Notice { title: "Freezer".into(), priority: 5, tags: vec!["snowflake".into()] })),
        guise: Some(Box::new(Guise { alias: "Door".into(), emoji: ":door:".into(), avatar: "".into() })),
        extra: Some(
            Opaque::parse(
                br#"{"attachments":[{"text":"a"}],"customFields":{"k":1,"linnet":"forged"},"bot":{"i":"x"},"unknown":1}"#,
            )
            .unwrap(),
        ),
        ..said(&life, "@all full")
    };
    check("message-full", &message::shown(&full, Dates::Iso, books));
}

#[test]
fn what_the_node_tells_has_rocket_chats_types() {
    let life = life();
    let books = &life.parts.reading;
    let cases = [
        (MessageKind::UserJoined, ""),
        (MessageKind::UserLeft, ""),
        (MessageKind::UserAdded, "bob"),
        (MessageKind::UserRemoved, "bob"),
        (MessageKind::RoomRenamed, "attic"),
        (MessageKind::TopicChanged, "@bob is no mention here"),
        (MessageKind::DescriptionChanged, "what"),
        (MessageKind::AnnouncementChanged, "now"),
        (MessageKind::PrivacyChanged, "private"),
        (MessageKind::ReadOnlyChanged, "true"),
        (MessageKind::ReadOnlyChanged, "false"),
        (MessageKind::ArchivedChanged, "true"),
        (MessageKind::ArchivedChanged, "false"),
        (MessageKind::RoleGiven, "bob owner"),
        (MessageKind::RoleTaken, "bob moderator"),
    ];
    let told: Vec<serde_json::Value> = cases
        .iter()
        .map(|(kind, text)| {
            let told = Message { kind: *kind, ..said(&life, text) };
            let json = serde_json::to_value(message::shown(&told, Dates::Iso, books)).unwrap();
            assert_eq!(json["mentions"], serde_json::json!([]));
            serde_json::json!({ "t": json["t"], "msg": json["msg"], "role": json["role"] })
        })
        .collect();
    check("message-told", &told);
}

#[test]
fn what_is_written_at_once_is_what_is_shown() {
    let life = life();
    let message = said(&life, "hi");
    let mut bytes = b"before".to_vec();
    message::write(&message, Dates::Ejson, &life.parts.reading, &mut bytes);
    let shown = serde_json::to_string(&message::shown(&message, Dates::Ejson, &life.parts.reading)).unwrap();
    assert_eq!(bytes, format!("before{shown}").into_bytes());
}

#[test]
fn rooms_and_subscriptions_are_written_as_clients_know_them() {
    let mut life = life();
    let alice = life.parts.reading.user_named("alice").unwrap().unwrap();
    let bob = life.parts.reading.user_named("bob").unwrap().unwrap();
    let (garden, direct) = life
        .call(|node| {
            let (token, _) = node.open_session(&alice.id)?;
            let caller = linnet::node::Caller::with_token(&token);
            let garden = NewRoom {
                members: vec![bob.id.clone()],
                ..NewRoom::named(RoomKind::Private, Name::fixed("garden"))
            };
            let garden = node.create_room(&caller, garden)?;
            let topic = RoomPatch { topic: Some("what grows".into()), ..RoomPatch::default() };
            node.change_room(&caller, &garden.id, topic)?;
            let direct = node.direct_room(&caller, std::slice::from_ref(&bob.id))?;
            node.post_message(&caller, &direct.id, crate::harness::life::words("psst"))?;
            Ok((garden.id.clone(), direct.id.clone()))
        })
        .unwrap();
    let reading = &life.parts.reading;
    let mut counting = room::Counting::default();
    for (name, id) in [("garden", &garden), ("direct", &direct), ("general", &Room::GENERAL)] {
        let place = reading.place_of(id, &bob.id).unwrap().unwrap();
        let actor =
            linnet::chat::policy::Actor { user: bob.clone(), device: None, permissions: Default::default() };
        let granted = reading.may_read(&actor, &place.room).unwrap();
        let shown =
            room::shown(reading, &place.room, Some(&granted.permit), &mut counting, Dates::Iso).unwrap();
        check(&format!("room-{name}"), &shown);
        let shown = subscription::shown(&place, &bob, reading, Dates::Iso).unwrap();
        check(&format!("subscription-{name}"), &shown);
    }
}

#[test]
fn users_are_written_as_clients_know_them() {
    let life = life();
    let alice = life.parts.reading.user_named("alice").unwrap().unwrap();
    let mut changed = (*alice).clone();
    let profile = user::Profile {
        status_text: "in the garden".into(),
        status_default: Some("away".into()),
        preferences: serde_json::json!({ "highlights": ["tomato"] }).as_object().unwrap().clone(),
        ..user::Profile::default()
    };
    changed.extra = Some(profile.to_opaque().unwrap());
    changed.email = Some("alice@example.org".into());
    assert_eq!(user::Profile::of(&changed), profile);
    check("me", &user::me(&changed, true, "http://linnet.local:3000", Dates::Iso));
    check("user-public", &user::shown(&changed, false, user::Sight::Public, Dates::Iso));
    check("user-brief", &user::brief(&changed, true));
}
