//! What people and bots do all day.

use super::client::Client;
use crate::harness::site::Served;
use linnet::chat::user::Role;
use linnet::node::passwords::Digested;
use serde_json::{Value, json};

const ROOM: &str = "stream-room-messages";

#[test]
fn alice_logs_in_and_bob_hears_what_she_says() {
    let served = Served::start();
    let alice = served.person_with_password("alice", &[Role::Admin, Role::User], "correct horse");
    let bob = served.person("bob", &[Role::User]);
    let mut hers = Client::stranger(&served);
    let digest = Digested::of_plain("correct horse")
        .is_ok_and(|digest| Digested::parse(DIGEST).is_ok_and(|sent| sent == digest));
    assert!(digest, "the digest below is of that password");
    let given = hers
        .call("login", json!([{ "user": { "username": "alice" }, "password": { "digest": DIGEST, "algorithm": "sha-256" } }]))
        .unwrap();
    assert_eq!((&given["id"], &given["type"]), (&json!(alice.id.as_str()), &json!("password")));
    assert!(
        given["tokenExpires"]["$date"].as_u64().unwrap() > 1_700_000_000_000 && given["token"].is_string()
    );
    let mut his = Client::of(&served, &bob);
    his.listen(ROOM, "GENERAL");
    let said = hers.post("GENERAL", "the door is open");
    assert_eq!((&said["msg"], &said["u"]["username"]), (&json!("the door is open"), &json!("alice")));
    let heard = his.hear_event("GENERAL");
    // He hears what she was answered, dates in EJSON and all.
    assert_eq!(heard, json!([said]));
    assert!(heard[0]["ts"]["$date"].is_u64() && heard[0]["_updatedAt"]["$date"].is_u64());
}

/// SHA-256 of "correct horse".
const DIGEST: &str = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";

#[test]
fn a_wrong_password_and_an_old_token_are_turned_away() {
    let served = Served::start();
    served.person_with_password("alice", &[Role::User], "correct horse");
    let mut client = Client::stranger(&served);
    for who in [json!({ "username": "alice" }), json!({ "email": "nobody@example.org" })] {
        let error = client.call("login", json!([{ "user": who, "password": "wrong" }])).unwrap_err();
        assert_eq!((&error["error"], &error["isClientSafe"]), (&json!(403), &json!(true)));
        assert!(error["reason"].is_string() && error["errorType"] == "Meteor.Error");
    }
    assert_eq!(client.call("login", json!([{ "resume": "gone" }])).unwrap_err()["error"], 403);
    assert_eq!(
        client.call("sendMessage", json!([{ "rid": "GENERAL", "msg": "x" }])).unwrap_err()["error"],
        "error-invalid-user"
    );
}

#[test]
fn hubot_finds_its_way() {
    let served = Served::start();
    let bot = served.person_with_password("hubot", &[Role::Bot], "secret");
    let bob = served.person("bob", &[Role::User]);
    let mut hubot = Client::open(&served, "/websocket");
    hubot.say(&json!({ "msg": "connect", "version": "pre2", "support": ["pre2"] }));
    assert_eq!(hubot.hear()["msg"], "connected");
    hubot.subscribe("meteor.loginServiceConfiguration", json!([])).unwrap();
    hubot.say(&json!({ "msg": "method", "id": "1", "method": "login",
        "params": [{ "password": "secret", "user": { "username": "hubot" } }] }));
    // Its own user comes before the answer, as from Meteor.
    let added = hubot.hear();
    assert_eq!(
        (&added["msg"], &added["collection"], &added["id"]),
        (&json!("added"), &json!("users"), &json!(bot.id.as_str()))
    );
    assert_eq!(hubot.hear()["result"]["id"], bot.id.as_str());
    assert_eq!(hubot.hear(), json!({ "msg": "updated", "methods": ["1"] }));
    assert_eq!(hubot.call("getRoomIdByNameOrId", json!(["general"])), Ok(json!("GENERAL")));
    hubot.call("joinRoom", json!(["GENERAL"])).unwrap();
    hubot.say(&json!({ "msg": "sub", "id": "x", "name": ROOM, "params": ["__my_messages__", true] }));
    // Without this document it would throw away whatever is said.
    let added = hubot.hear();
    assert_eq!(
        (&added["msg"], &added["collection"], &added["id"]),
        (&json!("added"), &json!(ROOM), &json!("id"))
    );
    assert_eq!(hubot.hear(), json!({ "msg": "ready", "subs": ["x"] }));
    Client::of(&served, &bob).post("GENERAL", "hubot ping");
    let heard = hubot.hear_event("__my_messages__");
    assert_eq!(heard[0]["msg"], "hubot ping");
    assert_eq!(heard[1], json!({ "roomParticipant": true, "roomType": "c", "roomName": "general" }));
    assert_eq!(hubot.call("getRoomNameById", json!(["GENERAL"])), Ok(json!("general")));
    let said = hubot
        .call("sendMessage", json!([{ "msg": "PONG", "bot": { "i": "js.SDK" }, "rid": "GENERAL" }]))
        .unwrap();
    assert_eq!(said["bot"], json!({ "i": "js.SDK" }));
}

#[test]
fn all_who_listen_get_the_same_bytes() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let mut hers = Client::of(&served, &alice);
    let mut ears: Vec<Client> = ["bob", "carol"]
        .map(|name| Client::of(&served, &served.person(name, &[Role::User])))
        .into_iter()
        .collect();
    ears.iter_mut().for_each(|ear| drop(ear.listen(ROOM, "GENERAL")));
    for number in 0..40 {
        hers.begin_call("sendMessage", json!([{ "rid": "GENERAL", "msg": format!("number {number}") }]));
    }
    let heard: Vec<Vec<String>> =
        ears.iter_mut().map(|ear| (0..40).map(|_| ear.hear_text()).collect()).collect();
    assert_eq!(heard[0], heard[1]);
    for (number, text) in heard[0].iter().enumerate() {
        let heard: Value = serde_json::from_str(text).unwrap();
        assert_eq!(heard["fields"]["args"][0]["msg"], format!("number {number}"), "out of order");
    }
}

#[test]
fn whoever_is_kicked_hears_nothing_that_comes_after() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let (mut hers, mut his) = (Client::of(&served, &alice), Client::of(&served, &bob));
    let room = hers.call("createPrivateGroup", json!(["attic", ["bob"]])).unwrap()["rid"]
        .as_str()
        .unwrap()
        .to_owned();
    let sub = his.listen(ROOM, &room);
    his.listen(ROOM, "__my_messages__");
    his.listen("stream-notify-user", &format!("{}/subscriptions-changed", bob.id));
    for text in ["before", "still before"] {
        hers.begin_call("sendMessage", json!([{ "rid": room, "msg": text }]));
    }
    hers.begin_call("removeUserFromRoom", json!([{ "rid": room, "username": "bob" }]));
    hers.begin_call("sendMessage", json!([{ "rid": room, "msg": "after" }]));
    hers.begin_call("sendMessage", json!([{ "rid": "GENERAL", "msg": "the fence" }]));
    let mut heard = Vec::new();
    loop {
        let text = his.hear_text();
        let done = text.contains("the fence");
        heard.push(text);
        if done {
            break;
        }
    }
    let said =
        |words: &str| heard.iter().filter(|text| text.contains(&format!("\"msg\":\"{words}\""))).count();
    assert_eq!((said("before"), said("still before"), said("after")), (2, 2, 0), "{heard:#?}");
    let parsed: Vec<Value> = heard.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let nosub = parsed.iter().find(|one| one["msg"] == "nosub").expect("he is told that it is over");
    assert_eq!((&nosub["id"], &nosub["error"]["error"]), (&json!(sub), &json!("not-allowed")));
    assert!(
        parsed
            .iter()
            .any(|one| one["fields"]["args"][0] == "removed"
                && one["fields"]["args"][1]["rid"] == room.as_str())
    );
    assert_eq!(his.subscribe(ROOM, json!([room, false])).unwrap_err()["error"], "not-allowed");
}

#[test]
fn a_token_that_is_taken_back_ends_the_session() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    his.listen(ROOM, "GENERAL");
    let caller = bob.caller();
    served.node.call_blocking(&caller.clone(), move |node| node.log_out(&caller)).unwrap();
    assert_eq!(his.hear_end(), 1008);
}

#[test]
fn whoever_logs_out_keeps_the_socket_and_hears_no_more() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    let sub = his.listen(ROOM, "GENERAL");
    let id = his.begin_call("logout", json!([]));
    assert_eq!(his.hear(), json!({ "msg": "nosub", "id": sub }));
    assert_eq!(his.hear(), json!({ "msg": "removed", "collection": "users", "id": bob.id.as_str() }));
    assert_eq!(his.hear(), json!({ "msg": "result", "id": id }));
    Client::of(&served, &alice).post("GENERAL", "not for strangers");
    assert_eq!(his.call("login", json!([{ "resume": bob.token }])).unwrap_err()["error"], 403);
    his.resume(&alice);
    his.listen(ROOM, "GENERAL");
}

#[test]
fn the_page_is_logged_in_by_its_cookie() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let stream = served.connect();
    let request = tokio_tungstenite::tungstenite::client::ClientRequestBuilder::new(
        format!("ws://{}/websocket", served.address).parse().unwrap(),
    )
    .with_header("Origin", format!("http://{}", served.address))
    .with_header("Cookie", format!("linnet_session={}", bob.token));
    let (socket, _) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
    let mut page = Client::of_socket(socket);
    page.begin();
    assert_eq!(page.hear()["fields"]["username"], "bob");
    assert_eq!(page.post("GENERAL", "from the page")["u"]["username"], "bob");
}

#[test]
fn sockjs_wraps_the_same_messages() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut client = Client::open(&served, "/sockjs/123/abcdefgh/websocket");
    assert_eq!(client.hear_text(), "o");
    let unwrapped = |text: String| -> Value {
        let inner: Vec<String> = serde_json::from_str(text.strip_prefix('a').expect("an array")).unwrap();
        serde_json::from_str(&inner[0]).unwrap()
    };
    let connect = json!({ "msg": "connect", "version": "1", "support": ["1"] }).to_string();
    let login = json!({ "msg": "method", "id": "1", "method": "login", "params": [{ "resume": bob.token }] })
        .to_string();
    let sub = json!({ "msg": "sub", "id": "2", "name": ROOM, "params": ["GENERAL", false] }).to_string();
    client.send(&json!([connect, login, sub]).to_string());
    let kinds: Vec<Value> = (0..5).map(|_| unwrapped(client.hear_text())["msg"].clone()).collect();
    assert_eq!(kinds, ["connected", "added", "result", "updated", "ready"]);
    Client::of(&served, &bob).post("GENERAL", "wrapped");
    assert_eq!(unwrapped(client.hear_text())["fields"]["args"][0]["msg"], "wrapped");
    client.send("{}");
    assert_eq!(client.hear_text(), "c[1007,\"not what SockJS sends\"]");
    assert_eq!(client.hear_end(), 1007);
}

/// Replaces what differs from run to run by its name.
fn scrubbed(value: &mut Value, known: &[(&str, &str)]) {
    match value {
        Value::Object(fields) => {
            // Whether the machine's clock was set.
            fields.remove("_untrusted");
            for (key, value) in fields.iter_mut() {
                match key.as_str() {
                    "$date" => *value = json!(0),
                    "session" | "token" => *value = json!(format!("<{key}>")),
                    "preferences" => *value = json!("<preferences>"),
                    _ => scrubbed(value, known),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| scrubbed(value, known)),
        Value::String(text) => {
            for (id, name) in known {
                *text = text.replace(id, &format!("<{name}>"));
            }
        }
        _ => {}
    }
}

/// Everything the node says in one short session, in the order it says it.
#[test]
fn a_session_reads_like_rocket_chats() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut client = Client::open(&served, "/websocket");
    let mut transcript: Vec<Value> = Vec::new();
    let method = |id: &str, name: &str, params: Value| json!({ "msg": "method", "id": id, "method": name, "params": params });
    let sub = |id: &str, name: &str, params: Value| json!({ "msg": "sub", "id": id, "name": name, "params": params });
    let said = json!([{ "_id": "own-id", "rid": "GENERAL", "msg": "hello" }]);
    let steps = [
        (json!({ "msg": "connect", "version": "1", "support": ["1"] }), 1),
        (json!({ "msg": "ping" }), 1),
        (method("1", "login", json!([{ "resume": bob.token }])), 3),
        (sub("2", ROOM, json!(["GENERAL", { "useCollection": true, "args": [] }])), 2),
        (sub("3", ROOM, json!(["attic", false])), 1),
        (sub("4", "users", json!([])), 1),
        (method("5", "sendMessage", said), 3),
        (method("6", "fly", json!([])), 2),
        (method("7", "deleteMessage", json!([{ "_id": "no-such" }])), 2),
        (json!({ "msg": "unsub", "id": "2" }), 1),
    ];
    for (message, answers) in steps {
        client.say(&message);
        transcript.extend((0..answers).map(|_| client.hear()));
    }
    // What is heard of a post may come before or after what the poster is answered.
    transcript[9..12].sort_by_key(|one| one["msg"] != "changed");
    transcript.iter_mut().for_each(|one| scrubbed(one, &[(bob.id.as_str(), "bob")]));
    let text: String = transcript.iter().map(|one| format!("{one}\n")).collect();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ddp/session.jsonl");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs: look at it, then run with BLESS=1", path.display());
}
