//! What roles may do: seen by everyone, changed by those who may, and in force at once.

use super::{Cast, names};
use serde_json::{Value, json};

fn row<'a>(list: &'a Value, id: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|row| row["_id"] == id).unwrap_or_else(|| panic!("no row {id}"))
}

fn rows(id: &str, roles: &[&str]) -> Value {
    json!({ "permissions": [{ "_id": id, "roles": roles }] })
}

#[test]
fn a_row_is_changed_and_holds_at_once() {
    let cast = Cast::begin();
    let before = cast.get(&cast.bob, "permissions.listAll");
    assert_eq!(row(&before["update"], "create-c")["roles"], json!(["admin", "moderator", "user", "bot"]));
    assert_eq!(before["remove"], json!([]));
    let ids = names(&before["update"], "_id");
    assert!(ids.is_sorted() && ids.contains(&"view-p-room"), "{ids:?}");
    cast.post(&cast.bob, "channels.create", json!({ "name": "before" }));
    let all = cast.post(&cast.alice, "permissions.update", rows("create-c", &["admin"]));
    assert_eq!(row(&all["permissions"], "create-c")["roles"], json!(["admin"]));
    assert_eq!(cast.refused(&cast.bob, "channels.create", json!({ "name": "after" })).0, 403);
    cast.post(&cast.bob, "groups.create", json!({ "name": "quiet" }));
    cast.post(&cast.alice, "channels.create", json!({ "name": "after" }));
    // What changed since then is that one row, and later nothing.
    let since = cast.get(&cast.bob, "permissions.listAll?updatedSince=2001-01-01T00:00:00.000Z");
    assert_eq!(names(&since["update"], "_id"), ["create-c"]);
    let then = since["update"][0]["_updatedAt"].as_str().unwrap();
    let since = cast.get(&cast.bob, &format!("permissions.listAll?updatedSince={then}"));
    assert_eq!(since["update"], json!([]));
    let bad = cast.not_found(&cast.bob, "permissions.listAll?updatedSince=soon");
    assert_eq!(bad, (400, "error-roomId-param-invalid".into()));
    cast.post(&cast.alice, "permissions.update", rows("create-c", &["admin", "user"]));
    cast.post(&cast.bob, "channels.create", json!({ "name": "again" }));
}

#[test]
fn roles_in_a_room_and_on_the_node_count_where_they_hold() {
    let cast = Cast::begin();
    let room = cast.post(&cast.bob, "channels.create", json!({ "name": "yard" }));
    let id = room["channel"]["_id"].clone();
    let topic = |words: &str| json!({ "roomId": id, "topic": words });
    assert_eq!(cast.refused(&cast.mallory, "channels.setTopic", topic("mine")).0, 403);
    cast.post(&cast.alice, "permissions.update", rows("edit-room", &["user"]));
    cast.post(&cast.mallory, "channels.setTopic", topic("mine"));
    cast.post(&cast.alice, "permissions.update", rows("edit-room", &["owner"]));
    assert_eq!(cast.refused(&cast.mallory, "channels.setTopic", topic("mine again")).0, 403);
    cast.post(&cast.bob, "channels.setTopic", topic("ours"));
    // A private room stays hidden from those who are not in it, whatever their roles may do in rooms.
    let shed = cast.post(&cast.bob, "groups.create", json!({ "name": "shed" }));
    let topic = json!({ "roomId": shed["group"]["_id"], "topic": "tools" });
    cast.post(&cast.alice, "permissions.update", rows("edit-room", &["user"]));
    assert_eq!(cast.refused(&cast.mallory, "groups.setTopic", topic), (400, "error-room-not-found".into()));
}

#[test]
fn words_of_others_can_be_changed_by_who_was_given_the_right() {
    let cast = Cast::begin();
    let room = cast.post(&cast.alice, "channels.create", json!({ "name": "board", "members": ["bob"] }));
    let id = room["channel"]["_id"].clone();
    let said = cast.post(&cast.bob, "chat.postMessage", json!({ "roomId": id, "text": "befour" }));
    let words = json!({ "roomId": id, "msgId": said["message"]["_id"], "text": "before" });
    assert_eq!(cast.refused(&cast.alice, "chat.update", words.clone()).0, 403);
    cast.post(&cast.alice, "permissions.update", rows("edit-message", &["owner"]));
    let changed = cast.post(&cast.alice, "chat.update", words.clone());
    assert_eq!(changed["message"]["msg"], "before");
    assert_eq!(
        (&changed["message"]["u"]["username"], &changed["message"]["editedBy"]["username"]),
        (&json!("bob"), &json!("alice"))
    );
    assert_eq!(cast.refused(&cast.mallory, "chat.update", words).0, 403);
}

#[test]
fn public_rooms_can_be_closed_to_a_role() {
    let cast = Cast::begin();
    let room = cast.post(&cast.alice, "channels.create", json!({ "name": "office" }));
    let history = format!("channels.history?roomId={}", room["channel"]["_id"].as_str().unwrap());
    cast.get(&cast.bob, &history);
    cast.post(&cast.alice, "permissions.update", rows("view-c-room", &["admin"]));
    assert_eq!(cast.not_found(&cast.bob, &history).0, 403);
    let say = json!({ "roomId": room["channel"]["_id"], "text": "hello" });
    assert_eq!(cast.refused(&cast.bob, "chat.postMessage", say).0, 403);
    // Where they are in already, they stay.
    cast.get(&cast.bob, "channels.history?roomId=GENERAL");
}

#[test]
fn what_is_no_row_or_no_role_is_refused() {
    let cast = Cast::begin();
    let update = |who, body| cast.refused(who, "permissions.update", body);
    let refused = update(&cast.bob, rows("create-c", &["user"]));
    assert_eq!(refused, (400, "error-edit-permissions-not-allowed".into()));
    let alice = &cast.alice;
    let invalid = |code: &str| (400, code.to_owned());
    assert_eq!(update(alice, rows("create-x", &["user"])), invalid("error-invalid-permission"));
    assert_eq!(update(alice, rows("create-c", &["king"])), invalid("error-invalid-role"));
    for body in
        [json!({}), json!({ "permissions": "create-c" }), json!({ "permissions": [{ "_id": "create-c" }] })]
    {
        assert_eq!(update(alice, body), invalid("error-invalid-body-params"));
    }
    // Nobody locks everyone out.
    assert_eq!(update(alice, rows("access-permissions", &["user"])).0, 400);
    // Of two rows with one that is wrong, none is changed.
    let both = json!({ "permissions": [
        { "_id": "create-p", "roles": [] }, { "_id": "access-permissions", "roles": [] }] });
    assert_eq!(update(alice, both).0, 400);
    cast.post(&cast.bob, "groups.create", json!({ "name": "quiet" }));
}
