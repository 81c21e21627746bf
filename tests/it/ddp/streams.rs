//! What clients hear of besides messages.

use super::client::Client;
use crate::harness::site::{Person, Served};
use linnet::chat::user::Role;
use serde_json::{Value, json};

struct Stage {
    served: Served,
    bob: Person,
    hers: Client,
    his: Client,
}

fn stage() -> Stage {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let (hers, his) = (Client::of(&served, &alice), Client::of(&served, &bob));
    Stage { served, bob, hers, his }
}

fn own(person: &Person, event: &str) -> String {
    format!("{}/{event}", person.id)
}

#[test]
fn an_edit_and_a_reaction_bring_the_message_again_and_a_deletion_its_id() {
    let Stage { mut hers, mut his, served: _served, .. } = stage();
    his.listen("stream-room-messages", "GENERAL");
    his.listen("stream-notify-room", "GENERAL/deleteMessage");
    let id = hers.post("GENERAL", "helo")["_id"].clone();
    assert_eq!(his.hear_event("GENERAL")[0]["msg"], "helo");
    hers.call("updateMessage", json!([{ "_id": id, "rid": "GENERAL", "msg": "hello" }])).unwrap();
    let edited = his.hear_event("GENERAL")[0].clone();
    assert_eq!(
        (&edited["msg"], &edited["_id"], &edited["editedBy"]["username"]),
        (&json!("hello"), &id, &json!("alice"))
    );
    hers.call("setReaction", json!([":wave:", id, true])).unwrap();
    assert_eq!(his.hear_event("GENERAL")[0]["reactions"], json!({ ":wave:": { "usernames": ["alice"] } }));
    hers.call("deleteMessage", json!([{ "_id": id }])).unwrap();
    assert_eq!(his.hear_event("GENERAL/deleteMessage"), json!([{ "_id": id }]));
}

#[test]
fn typing_reaches_the_others_in_both_forms() {
    let Stage { mut hers, mut his, served: _served, .. } = stage();
    his.listen("stream-notify-room", "GENERAL/user-activity");
    his.listen("stream-notify-room", "GENERAL/typing");
    hers.listen("stream-notify-room", "GENERAL/user-activity");
    hers.call("stream-notify-room", json!(["GENERAL/user-activity", "mallory", ["user-typing"], {}]))
        .unwrap();
    // The name is the node's, whatever the client says.
    assert_eq!(his.hear_event("GENERAL/typing"), json!(["alice", true]));
    assert_eq!(his.hear_event("GENERAL/user-activity"), json!(["alice", ["user-typing"], {}]));
    hers.call(
        "stream-notify-room",
        json!(["GENERAL/user-activity", "alice", ["user-recording"], { "tmid": "t" }]),
    )
    .unwrap();
    assert_eq!(
        his.hear_event("GENERAL/user-activity"),
        json!(["alice", ["user-recording"], { "tmid": "t" }])
    );
    hers.call("stream-notify-room", json!(["GENERAL/typing", "alice", false])).unwrap();
    assert_eq!(his.hear_event("GENERAL/user-activity"), json!(["alice", [], {}]));
    let refused = hers.call("stream-notify-room", json!(["nowhere/typing", "alice", true])).unwrap_err();
    assert_eq!(refused["error"], "error-room-not-found");
    assert!(hers.call("stream-notify-room", json!(["GENERAL/deleteMessage", { "_id": "x" }])).is_err());
    // She does not hear herself: what comes first is about him.
    his.call("stream-notify-room", json!(["GENERAL/typing", "bob", true])).unwrap();
    assert_eq!(hers.hear_event("GENERAL/user-activity")[0], "bob");
}

#[test]
fn a_member_hears_how_they_stand_in_their_rooms() {
    let Stage { mut hers, mut his, bob, served: _served } = stage();
    let (subscriptions, rooms) = (own(&bob, "subscriptions-changed"), own(&bob, "rooms-changed"));
    his.listen("stream-notify-user", &subscriptions);
    his.listen("stream-notify-user", &rooms);
    hers.post("GENERAL", "one");
    let changed = his.hear_event(&subscriptions);
    assert_eq!(
        (&changed[0], &changed[1]["rid"], &changed[1]["unread"]),
        (&json!("updated"), &json!("GENERAL"), &json!(1))
    );
    let room = his.hear_event(&rooms);
    assert_eq!((&room[0], &room[1]["lastMessage"]["msg"]), (&json!("updated"), &json!("one")));
    his.begin_call("readMessages", json!(["GENERAL"]));
    assert_eq!(his.hear_event(&subscriptions)[1]["unread"], 0);
    let made = hers.call("createChannel", json!(["workshop", ["bob"]])).unwrap();
    let inserted = his.hear_event(&subscriptions);
    assert_eq!(
        (&inserted[0], &inserted[1]["name"], &inserted[1]["rid"]),
        (&json!("inserted"), &json!("workshop"), &made["rid"])
    );
    assert_eq!(his.hear_event(&rooms)[0], "inserted");
    his.begin_call("toggleFavorite", json!([made["rid"], true]));
    assert_eq!(his.hear_event(&subscriptions)[1]["f"], true);
    his.begin_call("leaveRoom", json!([made["rid"]]));
    let removed = his.hear_event(&subscriptions);
    assert_eq!((&removed[0], &removed[1]["_id"]), (&json!("removed"), &inserted[1]["_id"]));
    assert_eq!(his.hear_event(&rooms), json!(["removed", { "_id": made["rid"] }]));
}

#[test]
fn many_messages_of_one_wake_up_change_a_subscription_once() {
    let Stage { mut hers, mut his, bob, served: _served } = stage();
    let subscriptions = own(&bob, "subscriptions-changed");
    his.listen("stream-notify-user", &subscriptions);
    for number in 0..30 {
        hers.begin_call("sendMessage", json!([{ "rid": "GENERAL", "msg": format!("{number}") }]));
    }
    let mut told = 0;
    loop {
        told += 1;
        if his.hear_event(&subscriptions)[1]["unread"] == 30 {
            break;
        }
    }
    assert!(told < 30, "told {told} times");
}

#[test]
fn direct_words_and_names_bring_a_notification() {
    let Stage { mut hers, mut his, bob, served: _served } = stage();
    let notifications = own(&bob, "notification");
    his.listen("stream-notify-user", &notifications);
    hers.post("GENERAL", "nobody's name");
    hers.post("GENERAL", "tea, @bob?");
    let told = his.hear_event(&notifications)[0].clone();
    assert_eq!((&told["title"], &told["text"]), (&json!("#general"), &json!("tea, @bob?")));
    assert_eq!(told["payload"]["sender"]["username"], "alice");
    let direct = hers.call("createDirectMessage", json!(["bob"])).unwrap();
    assert_eq!(direct["t"], "d");
    hers.post(direct["rid"].as_str().unwrap(), "psst");
    let told = his.hear_event(&notifications)[0].clone();
    assert_eq!((&told["title"], &told["payload"]["type"]), (&json!("alice"), &json!("d")));
}

#[test]
fn people_come_and_go() {
    let Stage { served, mut hers, his, bob } = stage();
    let watch = |client: &mut Client, set: Value| client.subscribe("stream-user-presence", json!(["", set]));
    hers.listen("stream-notify-logged", "user-status");
    watch(&mut hers, json!({ "added": ["nobody"] })).unwrap();
    // A later one only changes whom the first one watches, and ends.
    let second = watch(&mut hers, json!({ "added": [bob.id.as_str()] })).unwrap();
    assert_eq!(hers.hear(), json!({ "msg": "nosub", "id": second }));
    drop(his);
    let status = hers.hear_event("user-status");
    assert_eq!(status, json!([[bob.id.as_str(), "bob", 0, "", "bob", ["user"]]]));
    let presence = hers.hear();
    assert_eq!(
        (&presence["collection"], &presence["id"]),
        (&json!("stream-user-presence"), &json!(bob.id.as_str()))
    );
    assert_eq!(presence["fields"], json!({ "uid": bob.id.as_str(), "args": [["bob", 0, ""]] }));
    let _again = Client::of(&served, &bob);
    assert_eq!(hers.hear_event("user-status")[0][2], 1);
}

#[test]
fn an_end_that_is_asked_for_is_an_end() {
    let Stage { mut hers, mut his, served: _served, .. } = stage();
    let id = his.listen("stream-room-messages", "GENERAL");
    let other = his.listen("stream-room-messages", "GENERAL");
    his.say(&json!({ "msg": "unsub", "id": id }));
    assert_eq!(his.hear(), json!({ "msg": "nosub", "id": id }));
    hers.post("GENERAL", "for the other one");
    assert_eq!(his.hear_event("GENERAL")[0]["msg"], "for the other one");
    his.say(&json!({ "msg": "unsub", "id": other }));
    assert_eq!(his.hear()["msg"], "nosub");
    hers.post("GENERAL", "for nobody");
    his.say(&json!({ "msg": "ping" }));
    assert_eq!(his.hear(), json!({ "msg": "pong" }));
}
