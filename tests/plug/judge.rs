//! Starts the program on what is left of a folder and looks at everything through its doors.

use crate::http::{ADMIN, Http, Login};
use crate::node::{Launch, Node, START_MAX};
use crate::row::Tally;
use crate::town::{PORCH, ROOMS, SENSORS, Town};
use crate::witness::{Excuse, Seen, Thing, Witness};
use crate::{Outcome, wrong};
use serde_json::{Value, json};
use std::path::Path;

/// Entries of a page: the node's own maximum.
const PAGE: usize = 100;
/// Messages of a room; more are a mistake of the rig.
const MESSAGES_MAX: usize = 200_000;

/// What was left, and what is known about it.
pub struct Case<'a> {
    pub launch: &'a Launch,
    pub data: &'a Path,
    pub town: Option<&'a Town>,
    pub witness: &'a Witness,
    /// When the power went, by the witness's clock.
    pub at: u64,
    /// What was damaged on purpose.
    pub excused: Excuse<'a>,
}

/// A node that was judged and goes on.
pub struct Found {
    pub node: Node,
    pub seen: Seen,
    /// What is lost with an excuse.
    pub excused: u64,
}

impl<'a> Case<'a> {
    /// A folder of this town, of which nothing is excused.
    pub fn new(launch: &'a Launch, data: &'a Path, town: &'a Town, witness: &'a Witness) -> Case<'a> {
        Case { launch, data, town: Some(town), witness, at: u64::MAX, excused: &|_| false }
    }

    /// Starts the node, judges, and leaves it running for whoever goes on with it.
    pub fn judge(&self, tally: &mut Tally) -> Outcome<Found> {
        tally.cuts += 1;
        // What is acknowledged while the judge looks, a broker's redelivery, may come too late to be seen.
        let at = self.at.min(self.witness.now());
        let node = self.launch.start(self.data).inspect_err(|_| tally.failed_starts += 1)?;
        if node.ready_after > START_MAX {
            tally.failed_starts += 1;
            return Err(wrong(format!("it took {:.1} s to start", node.ready_after.as_secs_f64())));
        }
        tally.slowest = tally.slowest.max(node.ready_after);
        let (seen, excused) = self
            .ask(&node, at, tally)
            .map_err(|error| wrong(format!("{error}; log: {}", node.last_lines())))?;
        Ok(Found { node, seen, excused })
    }

    fn ask(&self, node: &Node, at: u64, tally: &mut Tally) -> Outcome<(Seen, u64)> {
        let admin = match self.town {
            Some(town) => town.admin.clone(),
            None => Login::new(node.address, ADMIN, ADMIN)?,
        };
        let mut http = admin.connect(node.address)?;
        let seen = match self.town {
            Some(_) => look(&mut http).inspect_err(|_| tally.lost += 1)?,
            None => Seen::default(),
        };
        let verdict = self.witness.judge(&seen, at, self.excused);
        tally.take(&verdict);
        if !verdict.is_good() {
            return Err(wrong(verdict.to_string()));
        }
        serves(&mut http).inspect_err(|_| tally.failed_starts += 1)?;
        Ok((seen, verdict.excused))
    }
}

/// A node serves when somebody can say something and hear it.
fn serves(http: &mut Http) -> Outcome<()> {
    let said = json!({ "roomId": "GENERAL", "text": "is anybody there?" });
    let answer = http.post("/api/v1/chat.postMessage", &said)?.good();
    let id = answer.map_err(|error| wrong(format!("it starts and takes no post: {error}")))?;
    let id = id["message"]["_id"].as_str().unwrap_or_default().to_owned();
    let found = http.get(&format!("/api/v1/chat.getMessage?msgId={id}"))?.good();
    found.map(|_| ()).map_err(|error| wrong(format!("it starts and does not show what it took: {error}")))
}

/// Reads all rooms, topics and members that the witness knows.
pub fn look(http: &mut Http) -> Outcome<Seen> {
    let mut seen = Seen::default();
    for room in ROOMS {
        let info = http.get(&format!("/api/v1/channels.info?roomName={room}"))?.good()?;
        if let Some(topic) = info["channel"]["topic"].as_str().filter(|topic| !topic.is_empty()) {
            seen.states.insert(Thing::Topic { room }, topic.to_owned());
        }
        let members = http.get(&format!("/api/v1/channels.members?roomName={room}&count={PAGE}"))?.good()?;
        if list(&members["members"]).iter().any(|member| member["username"] == "bob") {
            seen.states.insert(Thing::Bob { room }, "in".to_owned());
        }
    }
    for room in [ROOMS[0], ROOMS[1], PORCH, SENSORS] {
        let texts = texts(http, room)?;
        seen.rooms.insert(room, texts);
    }
    Ok(seen)
}

/// What was said in a room, oldest first. An offset counts removed messages, which a page does not show: the end of one
/// page may come again as the beginning of the next.
fn texts(http: &mut Http, room: &'static str) -> Outcome<Vec<String>> {
    let mut all: Vec<Value> = Vec::new();
    for offset in (0..MESSAGES_MAX).step_by(PAGE) {
        let path = format!("/api/v1/channels.messages?roomName={room}&count={PAGE}&offset={offset}");
        let page = http.get(&path)?;
        if room == SENSORS && !page.is_good() {
            break; // The bridge has not made it yet.
        }
        let page = page.good()?;
        let messages = list(&page["messages"]);
        let begins = |again: &usize| all.ends_with(&messages[..*again]);
        let again = (1..=messages.len().min(all.len())).rev().find(begins).unwrap_or(0);
        all.extend_from_slice(&messages[again..]);
        if messages.len() < PAGE {
            break;
        }
    }
    let said = all.iter().rev().filter(|message| message["t"].is_null());
    Ok(said.filter_map(|message| message["msg"].as_str().map(str::to_owned)).collect())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
