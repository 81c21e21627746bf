//! What is said: posted, found, changed, removed.

use super::{Cast, texts};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn a_message_is_posted_found_changed_and_removed() {
    let cast = Cast::begin();
    let (alice, bob) = (&cast.alice, &cast.bob);
    let body = json!({ "channel": "#general", "text": "helo @alice", "attachments": [{ "text": "note" }] });
    let posted = cast.post(bob, "chat.postMessage", body);
    assert!(posted["ts"].is_u64() && posted["channel"] == "#general", "{posted}");
    let message = &posted["message"];
    let id = message["_id"].as_str().unwrap();
    assert_eq!(message["mentions"][0]["username"], "alice");
    assert_eq!(message["attachments"][0]["text"], "note");
    assert_eq!(&cast.get(alice, &format!("chat.getMessage?msgId={id}"))["message"], message);
    let edit = |text: &str| json!({ "roomId": "GENERAL", "msgId": id, "text": text });
    assert_eq!(cast.refused(alice, "chat.update", edit("mine")).0, 403);
    let edited = cast.post(bob, "chat.update", edit("hello @alice"));
    assert_eq!(edited["message"]["editedBy"]["username"], "bob");
    assert_eq!(edited["message"]["ts"], message["ts"]);
    let wrong = cast.refused(bob, "chat.update", json!({ "roomId": "x", "msgId": id, "text": "y" }));
    assert_eq!(wrong.1, "The room id provided does not match where the message is from.");
    for on in [json!({}), json!({ "shouldReact": true })] {
        let mut react = json!({ "messageId": id, "emoji": ":wave:" });
        react.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
        cast.post(alice, "chat.react", react);
        let found = cast.get(bob, &format!("chat.getMessage?msgId={id}"));
        assert_eq!(found["message"]["reactions"][":wave:"]["usernames"], json!(["alice"]));
    }
    cast.post(alice, "chat.react", json!({ "messageId": id, "emoji": "wave", "shouldReact": false }));
    let history = cast.get(alice, "channels.history?roomName=general&count=1");
    assert_eq!(texts(&history["messages"]), ["hello @alice"]);
    assert_eq!(history["messages"][0]["reactions"], Value::Null);
    let gone = cast.post(alice, "chat.delete", json!({ "roomId": "GENERAL", "msgId": id }));
    assert_eq!((&gone["_id"], &gone["message"]["u"]["username"]), (&json!(id), &json!("bob")));
    assert!(gone["ts"].as_str().unwrap().parse::<u64>().is_ok());
    let unknown = cast.served.get_as(bob, &format!("/api/v1/chat.getMessage?msgId={id}"));
    assert_eq!((unknown.status, unknown.json()), (400, json!({ "success": false })));
    let late = cast.refused(bob, "chat.update", edit("too late"));
    assert_eq!(late.1, format!("No message found with the id of \"{id}\"."));
}

#[test]
fn a_client_sends_with_its_own_id_and_gets_the_same_message_again() {
    let cast = Cast::begin();
    let send = json!({ "message": { "rid": "GENERAL", "msg": "once", "_id": "own-1" } });
    let first = cast.post(&cast.bob, "chat.sendMessage", send.clone());
    assert_eq!(first["message"]["_id"], "own-1");
    assert_eq!(cast.post(&cast.bob, "chat.sendMessage", send), first);
    let thread = json!({ "message": { "rid": "GENERAL", "msg": "answer", "tmid": "own-1" } });
    assert_eq!(cast.post(&cast.bob, "chat.sendMessage", thread)["message"]["tmid"], "own-1");
    let check = |body: Value, error: &str| {
        assert_eq!(cast.refused(&cast.bob, "chat.sendMessage", body), (400, error.into()));
    };
    check(json!({}), "error-invalid-params");
    check(json!({ "message": { "msg": "x" } }), "The 'rid' property on the message object is missing.");
    check(
        json!({ "message": { "rid": "GENERAL", "msg": "x", "t": "uj" } }),
        "Cannot send system messages using chat.sendMessage",
    );
    check(
        json!({ "message": { "rid": "GENERAL", "msg": "x".repeat(5_001) } }),
        "error-message-size-exceeded",
    );
    check(
        json!({ "message": { "rid": "GENERAL", "msg": "x", "attachments": [{ "color": 1 }] } }),
        "invalid-params",
    );
    let history = cast.get(&cast.bob, "channels.messages?roomId=GENERAL&count=2");
    assert_eq!(texts(&history["messages"]), ["answer", "once"]);
}

#[test]
fn one_post_goes_to_several_rooms_and_nowhere_is_an_error() {
    let cast = Cast::begin();
    cast.post(&cast.bob, "channels.create", json!({ "name": "garden" }));
    cast.post(
        &cast.bob,
        "chat.postMessage",
        json!({ "channel": ["#general", "@alice", "garden"], "text": "to all" }),
    );
    for path in
        ["channels.history?roomName=general", "channels.history?roomName=garden", "im.history?username=bob"]
    {
        let who = if path.starts_with("im") { &cast.alice } else { &cast.bob };
        assert!(texts(&cast.get(who, path)["messages"]).contains(&"to all"), "{path}");
    }
    for body in [
        json!({ "text": "x" }),
        json!({ "channel": "#nowhere", "text": "x" }),
        json!({ "channel": "@nobody", "text": "x" }),
        json!({ "channel": [], "text": "x" }),
        json!({ "roomId": 7, "text": "x" }),
    ] {
        let heard = cast.served.post_as(&cast.bob, "/api/v1/chat.postMessage", &body).json();
        assert_eq!(
            (&heard["error"], &heard["errorType"]),
            (&json!("[invalid-channel]"), &json!("invalid-channel"))
        );
    }
    let forged = json!({ "channel": "general", "text": "x", "alias": "alice" });
    assert_eq!(cast.refused(&cast.bob, "chat.postMessage", forged.clone()).0, 403);
    assert_eq!(cast.post(&cast.alice, "chat.postMessage", forged)["message"]["alias"], "alice");
}

#[test]
fn a_page_of_history_lies_between_its_dates() {
    let cast = Cast::begin();
    let dates: Vec<String> = (0..5)
        .map(|number| {
            let posted = cast.post(
                &cast.bob,
                "chat.postMessage",
                json!({ "channel": "general", "text": format!("{number}") }),
            );
            // Two posts in one millisecond would lie on one date.
            let at = posted["ts"].as_u64().unwrap();
            let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
            while now() <= at {
                std::thread::yield_now();
            }
            posted["message"]["ts"].as_str().unwrap().to_owned()
        })
        .collect();
    let check = |range: String, expected: &[&str]| {
        let history = cast.get(&cast.bob, &format!("channels.history?roomId=GENERAL&{range}"));
        assert_eq!(texts(&history["messages"]), expected, "{range}");
    };
    check(format!("oldest={}&latest={}", dates[1], dates[3]), &["2"]);
    check(format!("oldest={}&latest={}&inclusive=true", dates[1], dates[3]), &["3", "2", "1"]);
    check(format!("oldest={}&count=1", dates[2]), &["4"]);
    check(format!("latest={}&count=2&offset=1", dates[4]), &["2", "1"]);
    let bad = cast.not_found(&cast.bob, "channels.history?roomId=GENERAL&latest=soon");
    assert_eq!(bad, (400, "error-latest-param-invalid".into()));
    let since = cast.get(&cast.bob, &format!("chat.syncMessages?roomId=GENERAL&lastUpdate={}", dates[3]));
    assert_eq!(texts(&since["result"]["updated"]), ["4"]);
    let missing = cast.not_found(&cast.bob, "chat.syncMessages?roomId=GENERAL");
    assert_eq!(missing, (400, "error-lastUpdate-param-not-provided".into()));
}
