//! Methods, by the socket and by REST.

use super::client::Client;
use crate::harness::site::Served;
use linnet::chat::user::Role;
use serde_json::{Value, json};

#[test]
fn a_client_starts_with_its_rooms_and_loads_what_was_said() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    let said: Vec<Value> = (0..5).map(|number| his.post("GENERAL", &format!("{number}"))).collect();
    let rooms = his.call("rooms/get", json!([])).unwrap();
    assert_eq!((&rooms[0]["_id"], &rooms[0]["lastMessage"]["msg"]), (&json!("GENERAL"), &json!("4")));
    let since = his.call("subscriptions/get", json!([{ "$date": 0 }])).unwrap();
    assert_eq!((&since["update"][0]["rid"], &since["remove"]), (&json!("GENERAL"), &json!([])));
    let later = his.call("rooms/get", json!([{ "$date": 9_999_999_999_999u64 }])).unwrap();
    assert_eq!(later["update"], json!([]));
    let page = his.call("loadHistory", json!(["GENERAL", null, 2, null])).unwrap();
    assert_eq!(page["messages"], json!([said[4], said[3]]));
    let missed = his.call("loadMissedMessages", json!(["GENERAL", { "$date": 0 }])).unwrap();
    assert_eq!(missed[0], said[4]);
    let around =
        his.call("loadSurroundingMessages", json!([{ "_id": said[2]["_id"], "rid": "GENERAL" }, 2])).unwrap();
    assert_eq!(around["messages"], json!([said[1], said[2], said[3]]));
    assert_eq!((&around["moreBefore"], &around["moreAfter"]), (&json!(true), &json!(true)));
    assert_eq!(his.call("getSingleMessage", json!([said[0]["_id"]])), Ok(said[0].clone()));
    let people =
        his.call("getUsersOfRoom", json!(["GENERAL", true, { "limit": 10, "skip": 0 }, "bo"])).unwrap();
    assert_eq!((&people["total"], &people["records"][0]["username"]), (&json!(1), &json!("bob")));
    let found = his.call("spotlight", json!(["gen"])).unwrap();
    assert_eq!(found["rooms"], json!([{ "_id": "GENERAL", "name": "general", "t": "c" }]));
    assert_eq!(his.call("getRoomByTypeAndName", json!(["c", "general"])).unwrap()["_id"], "GENERAL");
}

#[test]
fn short_questions_have_short_answers() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    assert_eq!(his.call("license:getModules", json!([])), Ok(json!([])));
    assert_eq!(his.call("license:isEnterprise", json!([])), Ok(json!(false)));
    assert_eq!(his.call("UserPresence:online", json!([])), Ok(Value::Null));
    let roles = his.call("getUserRoles", json!([])).unwrap();
    assert_eq!(roles[0]["roles"], json!(["user"]));
    let settings = his.call("public-settings/get", json!([])).unwrap();
    let named = settings.as_array().unwrap().iter().find(|one| one["_id"] == "Site_Name").unwrap();
    assert_eq!(named["value"], "linnet");
    his.call("setUserStatus", json!(["busy", "soldering"])).unwrap();
    assert_eq!(
        his.call("setUserStatus", json!(["flying", ""])).unwrap_err()["error"],
        "error-invalid-status"
    );
}

#[test]
fn the_name_of_a_room_is_told_to_bots_even_of_a_direct_one() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    served.person("carol", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    let room = his.call("createDirectMessage", json!(["carol"])).unwrap()["rid"].clone();
    assert_eq!(his.call("getRoomNameById", json!([room])), Ok(json!("carol")));
    assert_eq!(
        his.call("getRoomIdByNameOrId", json!(["no-such"])).unwrap_err()["error"],
        "error-not-allowed"
    );
}

#[test]
fn what_one_may_not_see_is_as_if_it_were_not_there() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::User]);
    let mallory = served.person("mallory", &[Role::User]);
    let (mut hers, mut strange) = (Client::of(&served, &alice), Client::of(&served, &mallory));
    let room = hers.call("createPrivateGroup", json!(["attic"])).unwrap()["rid"].clone();
    let said = hers.post(room.as_str().unwrap(), "secret")["_id"].clone();
    for (method, params) in [
        ("loadHistory", json!([room])),
        ("loadMissedMessages", json!([room, { "$date": 0 }])),
        ("loadNextMessages", json!([room])),
        ("loadSurroundingMessages", json!([{ "_id": said, "rid": room }])),
        ("getSingleMessage", json!([said])),
        ("getRoomNameById", json!([room])),
        ("getUsersOfRoom", json!([room, true])),
        ("getRoomByTypeAndName", json!(["p", "attic"])),
        ("joinRoom", json!([room])),
        ("sendMessage", json!([{ "rid": room, "msg": "x" }])),
        ("deleteMessage", json!([{ "_id": said }])),
    ] {
        let error = strange.call(method, params).expect_err(method);
        assert!(
            !error.to_string().contains("attic") && !error.to_string().contains("secret"),
            "{method}: {error}"
        );
    }
    assert_eq!(strange.call("getMessages", json!([[said]])), Ok(json!([])));
    assert_eq!(strange.call("spotlight", json!(["attic"])).unwrap()["rooms"], json!([]));
}

#[test]
fn rest_calls_the_same_methods() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let ask = |method: &str, message: Value| {
        let body = json!({ "message": message.to_string() });
        let heard = served.post_as(&bob, &format!("/api/v1/method.call/{method}"), &body).json();
        assert_eq!(heard["success"], true);
        serde_json::from_str::<Value>(heard["message"].as_str().unwrap()).unwrap()
    };
    let call = |method: &str, params: Value| json!({ "msg": "method", "id": "7", "method": method, "params": params });
    let rooms = ask("rooms%2Fget", call("rooms/get", json!([])));
    assert_eq!(
        (&rooms["msg"], &rooms["id"], &rooms["result"][0]["_id"]),
        (&json!("result"), &json!("7"), &json!("GENERAL"))
    );
    assert!(rooms["result"][0]["ts"]["$date"].is_u64());
    let unknown = ask("fly", call("fly", json!([])));
    assert_eq!(unknown["error"]["error"], 404);
    let stranger = served.post(
        "/api/v1/method.callAnon/rooms%2Fget",
        &json!({ "message": call("rooms/get", json!([])).to_string() }),
    );
    assert!(stranger.json()["message"].as_str().unwrap().contains("error-invalid-user"));
    assert_eq!(served.post_as(&bob, "/api/v1/method.call/login", &json!({ "message": "x" })).status, 400);
}
