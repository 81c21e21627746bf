//! The list of devices, for those who look after them.

use crate::harness::site::Served;
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
