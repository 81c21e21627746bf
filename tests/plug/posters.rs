//! Those who post while the power goes: each in its own way, each with one thing on its way at a time.

use crate::chance::Chance;
use crate::ddp::Ddp;
use crate::http::{Heard, Http};
use crate::town::{PORCH, ROOMS, Town};
use crate::wait::Stop;
use crate::witness::{Thing, Ticket, Witness, token};
use crate::{Outcome, wrong};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

/// The ways to post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `chat.postMessage`: the node makes the id.
    Plain,
    /// `chat.sendMessage` with an id of its own, sent again when the answer was lost.
    OwnId,
    /// The method `sendMessage` over a WebSocket, with an id of its own, sent again likewise.
    Realtime,
    /// `curl -d text HOST/balcony` with a device's token.
    Device,
    /// Posts, edits, deletes; sets topics; brings bob in and sends him out.
    Changer,
}

const WAYS: [Way; 5] = [Way::Plain, Way::OwnId, Way::Realtime, Way::Device, Way::Changer];
/// The number of the poster whose messages come by MQTT.
pub const SENSOR: u32 = WAYS.len() as u32;
/// How long somebody waits who was refused.
const REFUSED: Duration = Duration::from_millis(20);

/// Somebody who posts, through all lives of the node.
pub struct Poster {
    way: Way,
    me: u32,
    number: u64,
    chance: Chance,
    /// What was sent and not answered, to be sent again with the same id.
    unanswered: Option<Sent>,
    /// Answers that were none of success, and the newest.
    pub refusals: u64,
    pub refusal: String,
}

#[derive(Clone)]
struct Sent {
    id: String,
    room: usize,
    number: u64,
    text: String,
}

/// One of each way.
pub fn everybody(seed: u64) -> Vec<Poster> {
    let poster = |(me, way): (usize, &Way)| Poster {
        way: *way,
        me: me as u32,
        number: 0,
        chance: Chance::new(seed ^ (me as u64) << 32),
        unanswered: None,
        refusals: 0,
        refusal: String::new(),
    };
    WAYS.iter().enumerate().map(poster).collect()
}

/// Lets all of them post until `stop` is said or the node is gone, and does something meanwhile.
pub fn while_they_post<T>(
    posters: &mut [Poster],
    town: &Town,
    address: SocketAddr,
    witness: &Witness,
    meanwhile: impl FnOnce(&Stop) -> T,
) -> T {
    let stop = Stop::default();
    thread::scope(|scope| {
        for poster in posters {
            let stop = &stop;
            // That the node goes away in the middle of everything is what they are for.
            scope.spawn(move || drop(poster.run(town, address, witness, stop)));
        }
        let made = meanwhile(&stop);
        stop.say();
        made
    })
}

/// The door of a poster.
enum Door {
    Http(Http),
    Realtime(Ddp),
}

impl Poster {
    fn run(&mut self, town: &Town, address: SocketAddr, witness: &Witness, stop: &Stop) -> Outcome<()> {
        let mut door = match self.way {
            Way::Realtime => Door::Realtime(Ddp::connect(address, &town.alice)?),
            Way::Device => {
                Door::Http(Http::connect(address, &format!("Authorization: Bearer {}\r\n", town.device))?)
            }
            Way::Changer => Door::Http(town.admin.connect(address)?),
            Way::Plain | Way::OwnId => Door::Http(town.alice.connect(address)?),
        };
        while !stop.is_said() {
            let done = match (self.unanswered.clone(), self.way) {
                (Some(sent), _) => self.say(&mut door, town, witness, sent)?,
                (None, Way::Changer) => self.change(&mut door, town, witness)?,
                (None, _) => {
                    let sent = self.next();
                    self.say(&mut door, town, witness, sent)?
                }
            };
            if !done && stop.within(REFUSED) {
                break;
            }
        }
        Ok(())
    }

    /// The next message.
    fn next(&mut self) -> Sent {
        self.number += 1;
        let text = self.text("");
        // An id has letters and digits alone; this one is like those of Rocket.Chat's clients.
        let id = format!("p{}x{:012}rig", self.me, self.number);
        Sent { id, room: self.chance.below(ROOMS.len() as u64) as usize, number: self.number, text }
    }

    /// Text of any length with what is easily broken: other scripts, quotes, line breaks.
    fn text(&mut self, more: &str) -> String {
        const PIECES: [&str; 8] = [
            "the heron stands",
            "вода",
            "\"quoted\\\"",
            "🪴🐦",
            "zwei\nZeilen",
            "<b>&amp;",
            "'; --",
            "水が来る",
        ];
        let length = match self.chance.below(12) {
            0 => 4_000,
            1..4 => 400,
            _ => 40,
        };
        let mut text = token(self.me, self.number) + more;
        while text.chars().count() < length {
            text = text + " " + self.chance.pick::<&str>(&PIECES);
        }
        text + " ."
    }

    fn say(&mut self, door: &mut Door, town: &Town, witness: &Witness, sent: Sent) -> Outcome<bool> {
        let room = if self.way == Way::Device { PORCH } else { ROOMS[sent.room] };
        let thing = Thing::Message { room, poster: self.me, number: sent.number };
        let ticket = witness.attempt(thing, Some(sent.text.clone()));
        let (rid, text, id) = (&town.rooms[sent.room], &sent.text, &sent.id);
        let own = matches!(self.way, Way::OwnId | Way::Realtime | Way::Changer);
        self.unanswered = own.then(|| sent.clone());
        let message = json!({ "_id": id, "rid": rid, "msg": text });
        let heard = match (door, self.way) {
            (Door::Realtime(ddp), _) => {
                let answer = ddp.call("sendMessage", message)?;
                let status = if answer.get("error").is_some() { 400 } else { 200 };
                Heard { status, body: answer }
            }
            (Door::Http(http), Way::Device) => http.post_text(&format!("/{PORCH}"), text)?,
            (Door::Http(http), Way::Plain) => {
                http.post("/api/v1/chat.postMessage", &json!({ "roomId": rid, "text": text }))?
            }
            (Door::Http(http), _) => http.post("/api/v1/chat.sendMessage", &json!({ "message": message }))?,
        };
        Ok(self.heard(witness, &ticket, &heard))
    }

    fn heard(&mut self, witness: &Witness, ticket: &Ticket, heard: &Heard) -> bool {
        if heard.is_good() {
            witness.acknowledged(ticket);
            self.unanswered = None;
            return true;
        }
        self.refusals += 1;
        self.refusal = format!("{} {}", heard.status, heard.body);
        false
    }

    /// A message that is edited or deleted, and something else that changes.
    fn change(&mut self, door: &mut Door, town: &Town, witness: &Witness) -> Outcome<bool> {
        let sent = self.next();
        if !self.say(door, town, witness, sent.clone())? {
            return Ok(false);
        }
        let Door::Http(http) = door else { return Err(wrong("the changer comes by HTTP")) };
        let (room, rid) = (ROOMS[sent.room], &town.rooms[sent.room]);
        let message = Thing::Message { room, poster: self.me, number: sent.number };
        let (thing, value, path, body) = match self.chance.below(4) {
            0 => {
                let text = self.text(" (edited)");
                let body = json!({ "roomId": rid, "msgId": sent.id, "text": text });
                (message, Some(text), "chat.update", body)
            }
            1 => (message, None, "chat.delete", json!({ "roomId": rid, "msgId": sent.id })),
            2 => {
                let topic = format!("topic {}", sent.number);
                let body = json!({ "roomId": rid, "topic": topic });
                (Thing::Topic { room }, Some(topic), "channels.setTopic", body)
            }
            _ => bob(room, rid, town, witness),
        };
        let ticket = witness.attempt(thing, value);
        let heard = http.post(&format!("/api/v1/{path}"), &body)?;
        Ok(self.heard(witness, &ticket, &heard))
    }
}

/// In if he was out, out if he was in.
fn bob(
    room: &'static str,
    rid: &str,
    town: &Town,
    witness: &Witness,
) -> (Thing, Option<String>, &'static str, Value) {
    let thing = Thing::Bob { room };
    let body = json!({ "roomId": rid, "userId": town.bob });
    match witness.last(&thing) {
        Some(_) => (thing, None, "channels.kick", body),
        None => (thing, Some("in".into()), "channels.invite", body),
    }
}
