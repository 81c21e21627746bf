//! What somebody finds who is not in a private room: nothing, by any road.

use super::Cast;
use serde_json::{Value, json};

const SECRET: &str = "the key lies under the pot";

/// A private room of bob's with a message in it, and the direct room of alice and bob.
struct Hidden {
    group: String,
    message: String,
    direct: String,
}

fn hide(cast: &Cast) -> Hidden {
    let made = cast.post(&cast.bob, "groups.create", json!({ "name": "shed", "members": ["alice"] }));
    let group = made["group"]["_id"].as_str().unwrap().to_owned();
    let posted = cast.post(&cast.bob, "chat.postMessage", json!({ "roomId": group, "text": SECRET }));
    let direct = cast.post(&cast.bob, "chat.postMessage", json!({ "channel": "@alice", "text": SECRET }));
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    Hidden { group, message: id(&posted["message"]["_id"]), direct: id(&direct["message"]["rid"]) }
}

#[test]
fn a_stranger_reads_no_hidden_room_by_any_endpoint() {
    let cast = Cast::begin();
    let hidden = hide(&cast);
    let (group, message, direct) = (&hidden.group, &hidden.message, &hidden.direct);
    let mut paths = Vec::new();
    for name in ["info", "history", "messages", "members", "roles", "moderators", "counters", "online"] {
        paths.push(format!("groups.{name}?roomId={group}"));
        paths.push(format!("groups.{name}?roomName=shed"));
        paths.push(format!("channels.{name}?roomId={group}"));
    }
    for name in ["history", "messages", "members", "counters"] {
        paths.push(format!("im.{name}?roomId={direct}"));
        paths.push(format!("dm.{name}?roomId={direct}"));
    }
    paths.push(format!("rooms.info?roomId={group}"));
    paths.push("rooms.info?roomName=shed".into());
    paths.push(format!("rooms.info?roomId={direct}"));
    paths.push(format!("rooms.isMember?roomId={group}&username=bob"));
    paths.push(format!("chat.getMessage?msgId={message}"));
    paths.push(format!("chat.syncMessages?roomId={group}&lastUpdate=2020-01-01"));
    paths.push("groups.listAll".into());
    paths.push("rooms.adminRooms".into());
    for path in paths {
        let heard = cast.served.get_as(&cast.mallory, &format!("/api/v1/{path}"));
        assert!(matches!(heard.status, 400 | 403), "{path}: {} {}", heard.status, heard.text());
        assert!(!heard.text().contains(SECRET), "{path}: {}", heard.text());
    }
}

#[test]
fn a_stranger_finds_no_hidden_room_in_any_list() {
    let cast = Cast::begin();
    let hidden = hide(&cast);
    for path in [
        "channels.list",
        "channels.list.joined",
        "groups.list",
        "im.list",
        "rooms.get",
        "subscriptions.get",
        "listInvites",
        "spotlight?query=shed",
        "directory?type=channels&text=shed",
        "rooms.autocomplete.channelAndPrivate?selector=%7B%22name%22%3A%22shed%22%7D",
        &format!("subscriptions.getOne?roomId={}", hidden.group),
    ] {
        let heard = cast.get(&cast.mallory, path).to_string();
        let shows =
            [SECRET, "\"shed\"", &hidden.group, &hidden.direct].iter().any(|word| heard.contains(word));
        assert!(!shows, "{path}: {heard}");
    }
}

#[test]
fn a_stranger_changes_nothing_in_a_hidden_room() {
    let cast = Cast::begin();
    let hidden = hide(&cast);
    let (group, message) = (&hidden.group, &hidden.message);
    let room = |key: &str, value: Value| json!({ "roomId": group, key: value });
    let cases = [
        ("groups.setTopic", room("topic", json!("x"))),
        ("groups.rename", room("name", json!("x"))),
        ("groups.invite", room("username", json!("mallory"))),
        ("groups.kick", room("username", json!("bob"))),
        ("groups.addOwner", room("username", json!("mallory"))),
        ("groups.delete", room("x", json!(1))),
        ("groups.archive", room("x", json!(1))),
        ("groups.leave", room("x", json!(1))),
        ("groups.setType", room("type", json!("c"))),
        ("channels.join", room("x", json!(1))),
        ("rooms.delete", room("x", json!(1))),
        ("rooms.saveRoomSettings", json!({ "rid": group, "roomType": "c" })),
        ("rooms.changeArchivationState", json!({ "rid": group, "action": "archive" })),
        ("rooms.favorite", room("favorite", json!(true))),
        ("findOrCreateInvite", json!({ "rid": group, "days": 1, "maxUses": 1 })),
        ("chat.postMessage", room("text", json!("x"))),
        ("chat.postMessage", json!({ "roomId": hidden.direct, "text": "x" })),
        ("chat.sendMessage", json!({ "message": { "rid": group, "msg": "x" } })),
        ("chat.update", json!({ "roomId": group, "msgId": message, "text": "x" })),
        ("chat.delete", json!({ "roomId": group, "msgId": message })),
        ("chat.react", json!({ "messageId": message, "emoji": "smile" })),
        ("subscriptions.read", json!({ "rid": group })),
        ("subscriptions.unread", json!({ "firstUnreadMessage": { "_id": message } })),
    ];
    let before = cast.get(&cast.bob, &format!("groups.messages?roomId={group}"));
    for (path, body) in cases {
        let (status, error) = cast.refused(&cast.mallory, path, body);
        assert_eq!(status, 400, "{path}: {error}");
        assert!(!error.contains(SECRET), "{path}: {error}");
    }
    assert_eq!(cast.get(&cast.bob, &format!("groups.messages?roomId={group}")), before);
}

#[test]
fn who_shows_no_token_gets_401_before_anything_else() {
    let cast = Cast::begin();
    for path in ["rooms.get", "subscriptions.get", "channels.list", "users.list", "chat.getMessage?msgId=x"] {
        let heard = cast.served.get(&format!("/api/v1/{path}"));
        assert_eq!(heard.status, 401, "{path}");
        let expected = json!({ "status": "error", "message": "You must be logged in to do this." });
        assert_eq!(heard.json(), expected, "{path}");
    }
}
