//! Who and what is there before the power goes: an admin, alice who posts, bob who comes and goes, two rooms, a device.

use crate::http::{ADMIN, Http, Login};
use crate::judge::look;
use crate::node::{Launch, Node};
use crate::witness::{Thing, Witness};
use crate::{Outcome, wrong};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// The rooms that are posted to.
pub const ROOMS: [&str; 2] = ["greenhouse", "kitchen"];
/// The room of the device.
pub const PORCH: &str = "balcony";
/// The room that hears the sensors by MQTT; its bridge makes it.
pub const SENSORS: &str = "sensors";

/// The people with their tokens.
#[derive(Debug, Clone, Default)]
pub struct Town {
    pub admin: Login,
    pub alice: Login,
    /// Their ids, as [`ROOMS`].
    pub rooms: Vec<String>,
    pub bob: String,
    /// The device's token.
    pub device: String,
}

impl Town {
    /// Makes all of it on a running node.
    pub fn build(node: &Node, launch: &Launch, data: &Path) -> Outcome<Town> {
        let admin = Login::new(node.address, ADMIN, ADMIN)?;
        let mut http = patiently(|| known(&admin, node.address))?;
        let mut user = |name: &str| {
            let email = format!("{name}@example.org");
            let new =
                json!({ "username": name, "name": name, "email": email, "password": "a-long-password" });
            let made = http.post("/api/v1/users.create", &new)?.good()?;
            Ok::<_, std::io::Error>(text(&made["user"]["_id"]))
        };
        let (_, bob) = (user("alice")?, user("bob")?);
        let alice = patiently(|| Login::new(node.address, "alice", "a-long-password"))?;
        patiently(|| known(&alice, node.address))?;
        let mut rooms = Vec::new();
        for name in [ROOMS[0], ROOMS[1], PORCH] {
            let new = json!({ "name": name, "members": ["alice"] });
            let made = http.post("/api/v1/channels.create", &new)?.good()?;
            rooms.push(text(&made["channel"]["_id"]));
        }
        rooms.truncate(ROOMS.len());
        let device = patiently(|| add_device(launch, data))?;
        Ok(Town { admin, alice, rooms, bob, device })
    }

    /// Reads all that the witness may ask for.
    pub fn look(&self, address: SocketAddr) -> Outcome<crate::witness::Seen> {
        look(&mut self.admin.connect(address)?)
    }

    /// Says what holds before anybody did anything.
    pub fn tell(&self, witness: &Witness) {
        for room in ROOMS {
            for thing in [Thing::Topic { room }, Thing::Bob { room }] {
                let ticket = witness.attempt(thing, None);
                witness.acknowledged(&ticket);
            }
        }
    }
}

/// Tries a few times: a node that answers too early, as a planted fault makes it, does not know at once what it said.
fn patiently<T>(mut step: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    const TRIES: usize = 200;
    let mut done = step();
    for _ in 1..TRIES {
        if done.is_ok() {
            break;
        }
        done = step();
    }
    done
}

/// A connection whose token the node knows.
fn known(login: &Login, address: SocketAddr) -> Outcome<Http> {
    let mut http = login.connect(address)?;
    http.get("/api/v1/me")?.good()?;
    Ok(http)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn add_device(launch: &Launch, data: &Path) -> Outcome<String> {
    let told = |words: &[&str]| -> Outcome<String> {
        let done = launch.command().args(words).args(["--json", "--data"]).arg(data).output()?;
        let answer: Value = serde_json::from_slice(&done.stdout)
            .map_err(|_| wrong(format!("no device: {}", String::from_utf8_lossy(&done.stderr))))?;
        Ok(text(&answer["token"]))
    };
    // A node that answers early may have made it and not know it yet when it tells of it: then it is there for a new key.
    told(&["device", "add", "lamp", "--room", PORCH]).or_else(|_| told(&["device", "key", "lamp"]))
}
