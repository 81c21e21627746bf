//! Devices, for those who look after them.

use crate::harness::ask::Heard;
use crate::harness::site::{Person, Served};
use linnet::chat::name::Name;
use linnet::chat::user::Role;
use linnet::node::Caller;
use linnet::node::devices::Rights;
use serde_json::{Value, json};

#[test]
fn administrators_see_when_a_device_was_last_heard() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let add = |n: &mut linnet::node::Node| {
        n.add_device(&Caller::Operator, Name::fixed("porch"), "garden", Rights::Post)
    };
    let porch = served.operator(add);
    let list = |person| served.get_as(person, "/api/linnet/v1/devices");
    assert_eq!(list(&bob).status, 403);
    assert_eq!(served.get("/api/linnet/v1/devices").status, 401);
    let device = list(&alice).json()["devices"][0].clone();
    assert_eq!((&device["name"], &device["lastSeen"]), (&json!("porch"), &Value::Null));
    let room = json!({"_id": porch.room.id.as_str(), "name": "garden", "post": true, "read": false});
    assert_eq!(device["rooms"], json!([room]));
    let bearer = format!("Bearer {}", porch.key);
    let heard = served.ask("POST", "/garden", &[("Authorization", &bearer)], Some(b"door open"));
    assert_eq!(heard.status, 200, "{}", heard.text());
    let seen = list(&alice).json()["devices"][0]["lastSeen"].clone();
    let seen = linnet::base::date::parse(seen.as_str().unwrap()).unwrap();
    assert!(
        seen.abs_diff(heard.json()["time"].as_u64().unwrap() * 1_000) < 10_000,
        "{seen}: {}",
        heard.text()
    );
}

const DEVICES: &str = "/api/linnet/v1/devices";

/// A request with this method in a person's name.
fn told(served: &Served, who: &Person, method: &str, path: &str, body: &Value) -> Heard {
    let [token, id] = who.headers();
    let headers = [("Content-Type", "application/json"), token, id];
    let text = body.to_string();
    let body = (method != "GET").then_some(text.as_bytes());
    served.ask(method, &format!("{DEVICES}{path}"), &headers, body)
}

fn well(heard: Heard) -> Value {
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.json()
}

#[test]
fn an_administrator_adds_a_device_changes_what_it_may_and_removes_it() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let made = well(served.post_as(&alice, DEVICES, &json!({"name": "porch"})));
    let key = made["token"].as_str().unwrap();
    assert!(key.starts_with("dv_"), "{made}");
    let mut device = made["device"].clone();
    device.as_object_mut().unwrap().remove("_id");
    let expected = json!({"name": "porch", "rooms": [], "publish": ["porch/#"], "subscribe": ["porch/#"],
        "command": [], "certificate": false, "lastSeen": null});
    assert_eq!(device, expected);
    let change = json!({"publish": ["tele/porch/#", "x"], "command": ["pump"], "certificate": true});
    let changed = well(told(&served, &alice, "PATCH", "/porch", &change))["device"].clone();
    assert_eq!(changed["publish"], json!(["tele/porch/#", "x"]));
    assert_eq!((&changed["subscribe"], &changed["command"]), (&json!(["porch/#"]), &json!(["pump"])));
    assert_eq!(changed["certificate"], true);
    assert_eq!(well(served.get_as(&alice, &format!("{DEVICES}/PORCH")))["device"], changed);
    assert_eq!(well(served.get_as(&alice, DEVICES))["devices"], json!([changed]));
    assert_eq!(well(told(&served, &alice, "DELETE", "/porch", &json!({})))["success"], true);
    assert_eq!(told(&served, &alice, "DELETE", "/porch", &json!({})).status, 400);
    assert_eq!(well(served.get_as(&alice, DEVICES))["devices"], json!([]));
    assert!(served.node.read(|reading| reading.device_login("porch", key)).is_err());
}

#[test]
fn a_device_with_a_room_posts_there_until_it_gets_a_new_key() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let new = json!({"name": "porch", "room": "garden", "read": false});
    let made = well(served.post_as(&alice, DEVICES, &new));
    assert_eq!(made["device"]["rooms"][0]["name"], "garden");
    let old = format!("Bearer {}", made["token"].as_str().unwrap());
    let post =
        |bearer: &str| served.ask("POST", "/garden", &[("Authorization", bearer)], Some(b"open")).status;
    assert_eq!(post(&old), 200);
    let keyed = well(told(&served, &alice, "POST", "/porch/key", &json!({})));
    let new = format!("Bearer {}", keyed["token"].as_str().unwrap());
    assert_eq!(keyed["device"]["_id"], made["device"]["_id"]);
    assert_eq!((post(&old), post(&new)), (401, 200));
}

#[test]
fn the_rooms_of_a_device_are_those_that_are_named() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    well(served.post_as(&alice, DEVICES, &json!({"name": "porch", "room": "general"})));
    let shed = well(served.post_as(&alice, "/api/v1/channels.create", &json!({"name": "shed"})));
    let shed = shed["channel"]["_id"].clone();
    let rooms = |rooms: Value| told(&served, &alice, "PATCH", "/porch", &json!({ "rooms": rooms }));
    let both = json!([{"name": "general", "post": false}, {"_id": shed, "read": false}]);
    let changed = well(rooms(both))["device"]["rooms"].clone();
    let expected = json!([
        {"_id": "GENERAL", "name": "general", "post": false, "read": true},
        {"_id": shed, "name": "shed", "post": true, "read": false},
    ]);
    assert_eq!(changed, expected);
    for (wrong, says) in [
        (json!([{"name": "nowhere"}]), "room"),
        (json!([{"name": "shed", "post": false, "read": false}]), "to post, to read, or both"),
    ] {
        let heard = rooms(wrong.clone());
        assert!(heard.status == 400 && heard.text().contains(says), "{wrong}: {}", heard.text());
    }
    assert_eq!(well(told(&served, &alice, "GET", "/porch", &json!({})))["device"]["rooms"], expected);
    assert_eq!(well(rooms(json!([])))["device"]["rooms"], json!([]));
    // A private room that this administrator is not in is not theirs to give, and stays where it was given.
    let bob = served.person("bob", &[Role::Admin, Role::User]);
    let den = well(served.post_as(&bob, "/api/v1/groups.create", &json!({"name": "den"})));
    let den = json!([{"name": den["group"]["name"]}]);
    assert_eq!(told(&served, &alice, "PATCH", "/porch", &json!({ "rooms": den })).status, 403);
    well(told(&served, &bob, "PATCH", "/porch", &json!({ "rooms": den })));
    well(told(&served, &alice, "PATCH", "/porch", &json!({ "rooms": den })));
}

#[test]
fn what_a_device_cannot_be_given_is_refused_with_what_to_give() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    well(served.post_as(&alice, DEVICES, &json!({"name": "porch"})));
    let many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
    for (body, says) in [
        (json!({"publish": ["a+"]}), "each alone between slashes"),
        (json!({"subscribe": ["linnet/room/garden/msg"]}), "a room by its name"),
        (json!({"subscribe": ["linnet/#"]}), "a room by its name"),
        (json!({"publish": ["$SYS/x"]}), "do not begin with $"),
        (json!({"subscribe": ["$share/all/#"]}), "without $share"),
        (json!({"command": ["#"]}), "a device's name, or + for all"),
        (json!({"publish": many}), "filters of one device"),
        (json!({"publish": "a"}), "sequence"),
        (json!({"pubish": ["a"]}), "pubish"),
    ] {
        let heard = told(&served, &alice, "PATCH", "/porch", &body);
        assert!(heard.status == 400 && heard.text().contains(says), "{body}: {}", heard.text());
    }
    for name in ["a+", "a#", "a/b", "$SYS", "", "porch", "PORCH", "linnet"] {
        let heard = served.post_as(&alice, DEVICES, &json!({"name": name}));
        assert_eq!(heard.status, 400, "{name}: {}", heard.text());
    }
    let dumb = json!({"name": "lamp", "room": "garden", "post": false, "read": false});
    assert_eq!(served.post_as(&alice, DEVICES, &dumb).status, 400);
    let devices = well(served.get_as(&alice, DEVICES))["devices"].clone();
    assert_eq!(devices.as_array().unwrap().len(), 1);
    assert_eq!(devices[0]["publish"], json!(["porch/#"]));
}

#[test]
fn nobody_else_makes_devices_or_sees_what_they_may() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let made = well(served.post_as(&alice, DEVICES, &json!({"name": "porch"})));
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    for (method, path) in [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/porch"),
        ("PATCH", "/porch"),
        ("DELETE", "/porch"),
        ("POST", "/porch/key"),
        ("GET", "/nobody"),
    ] {
        let body =
            json!(if method == "POST" && path.is_empty() { json!({"name": "lamp"}) } else { json!({}) });
        assert_eq!(told(&served, &bob, method, path, &body).status, 403, "bob: {method} {path}");
        let text = body.to_string();
        let body = (method != "GET").then_some(text.as_bytes());
        let path = format!("{DEVICES}{path}");
        let as_device = served.ask(method, &path, &[("Authorization", &bearer)], body);
        assert_eq!(as_device.status, 403, "the device itself: {method} {path}");
        assert_eq!(served.ask(method, &path, &[], body).status, 401, "{method} {path}");
    }
    assert_eq!(well(served.get_as(&alice, DEVICES))["devices"].as_array().unwrap().len(), 1);
}
