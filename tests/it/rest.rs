//! The REST door as Rocket.Chat's clients use it: one story a family, and what a stranger finds.

mod accounts;
mod clock;
mod devices;
mod permissions;
mod rooms;
mod strangers;
mod talk;

use crate::harness::ask::Heard;
use crate::harness::site::{Person, Served};
use linnet::chat::user::Role;
use serde_json::Value;

/// A node with its cast: alice runs it, bob is a member, mallory a stranger to every room but #general.
struct Cast {
    served: Served,
    alice: Person,
    bob: Person,
    mallory: Person,
}

impl Cast {
    fn begin() -> Cast {
        let served = Served::start();
        let alice = served.person("alice", &[Role::Admin, Role::User]);
        let bob = served.person("bob", &[Role::User]);
        let mallory = served.person("mallory", &[Role::User]);
        Cast { served, alice, bob, mallory }
    }

    /// A GET that goes well.
    fn get(&self, who: &Person, path: &str) -> Value {
        well(path, self.served.get_as(who, &api(path)))
    }

    /// A POST that goes well.
    fn post(&self, who: &Person, path: &str, body: Value) -> Value {
        well(path, self.served.post_as(who, &api(path), &body))
    }

    /// A POST that does not: its status and its `errorType`, or the text of its error.
    fn refused(&self, who: &Person, path: &str, body: Value) -> (u16, String) {
        not_well(self.served.post_as(who, &api(path), &body))
    }

    /// A GET that does not.
    fn not_found(&self, who: &Person, path: &str) -> (u16, String) {
        not_well(self.served.get_as(who, &api(path)))
    }
}

fn api(path: &str) -> String {
    format!("/api/v1/{path}")
}

fn well(path: &str, heard: Heard) -> Value {
    assert_eq!(heard.status, 200, "{path}: {}", heard.text());
    assert_eq!(heard.header("content-type"), Some("application/json"), "{path}");
    let json = heard.json();
    assert!(json["success"] == true || !json.is_object(), "{path}: {json}");
    json
}

fn not_well(heard: Heard) -> (u16, String) {
    let json = heard.json();
    assert_eq!(json["success"], false, "{json}");
    let error = json["errorType"].as_str().or(json["error"].as_str()).unwrap_or_default();
    (heard.status, error.to_owned())
}

/// The texts of `messages`, in their order.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|message| message["msg"].as_str().unwrap()).collect()
}

/// The names of things in a list.
fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}
