//! A node that does not know the time, as its people meet it.

use super::{api, not_well, well};
use crate::harness::site::{Person, Served};
use linnet::base::date;
use linnet::base::world::{Keeper, SimWorld};
use linnet::chat::user::Role;
use serde_json::{Value, json};
use std::sync::Arc;

const TRUTH: u64 = 1_780_000_000_000;
const MINUTE: u64 = 60_000;

/// The texts of #general with their times and whether these are uncertain, newest first.
fn history(served: &Served, who: &Person, range: &str) -> Vec<(String, String, bool)> {
    let path = api(&format!("channels.history?roomId=GENERAL&inclusive=true&{range}"));
    let page = well(&path, served.get_as(who, &path));
    let said = page["messages"].as_array().unwrap().iter().filter(|message| message["t"].is_null());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    said.map(|said| (text(&said["msg"]), text(&said["ts"]), said["_untrusted"] == true)).collect()
}

#[test]
fn the_owner_sets_the_time_of_a_node_that_has_none() {
    let world = Arc::new(SimWorld::new(1));
    world.set_wall_ms(5_000);
    world.set_keeper(Keeper::Nobody);
    let served = Served::start_in(world.clone());
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let say = |text: &str| {
        world.pass_ms(MINUTE);
        let posted =
            served.post_as(&bob, &api("chat.postMessage"), &json!({"roomId": "GENERAL", "text": text}));
        well("chat.postMessage", posted)
    };
    let clock = "/api/linnet/v1/clock";
    let told = say("one");
    assert_eq!(
        (&told["message"]["_untrusted"], &told["message"]["ts"]),
        (&json!(true), &json!(date::iso(65_000)))
    );
    say("two");
    let standing = well(clock, served.get_as(&bob, clock));
    assert_eq!((&standing["trust"], &standing["time"]), (&json!("nobody"), &json!(date::iso(125_000))));
    assert_eq!(standing["machine"], json!(date::iso(125_000)));
    assert_eq!(
        served.get_as(&bob, clock).header("date"),
        None,
        "the date of the machine is not worth telling"
    );

    let time = json!({"time": date::iso(TRUTH)});
    assert_eq!(not_well(served.post_as(&bob, clock, &time)).0, 403);
    assert_eq!(not_well(served.post_as(&alice, clock, &json!({"time": "noon"}))).0, 400);
    assert_eq!(not_well(served.post_as(&alice, clock, &json!({"time": "1999-01-01"}))).0, 400);
    let set = well(clock, served.post_as(&alice, clock, &time));
    assert_eq!((&set["trust"], &set["time"]), (&json!("person"), &time["time"]));
    say("three");

    let at = |minutes: i64| date::iso(TRUTH.saturating_add_signed(minutes * MINUTE as i64));
    let row = |text: &str, minutes: i64| (text.to_owned(), at(minutes), false);
    assert_eq!(history(&served, &bob, ""), [row("three", 1), row("two", 0), row("one", -1)]);
    let before = format!("latest={}", at(-1));
    assert_eq!(history(&served, &bob, &before), [row("one", -1)]);
    let between = format!("oldest={}&latest={}", at(0), at(0));
    assert_eq!(history(&served, &bob, &between), [row("two", 0)]);
    let groups = served.get_as(&alice, &api("groups.history?roomName=system"));
    let system = well("groups.history", groups).to_string();
    assert!(system.contains("Clock set by alice."), "{system}");

    world.serve_time(TRUTH + 60 * MINUTE);
    say("four");
    let known = not_well(served.post_as(&alice, clock, &time));
    assert_eq!(known, (400, "error-clock-known".to_owned()));
    assert_eq!(history(&served, &bob, "count=2"), [row("four", 61), row("three", 60)]);
}
