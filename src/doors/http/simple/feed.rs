//! What one stream tells: the backlog from its beginning on, then what is said, without gap or repetition.
//!
//! The listener follows the room after a place in the order, and the backlog is told up to that very place. Where the
//! listener says that it is too far behind, or that a right has to be asked for again, both begin again from there.

use super::ntfy::Line;
use super::since::Since;
use super::words::{problem, refused};
use crate::base::id::{Seq, random_text};
use crate::base::limits::{PAGE_MESSAGES_MAX, STREAM_EVENTS_MAX, STREAM_STALE_MAX};
use crate::chat::change::What;
use crate::chat::message::{Message, MessageKind};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::delivery::{Event, Listener, Refused, Who};
use crate::doors::http::{Problem, Site};
use crate::node::Caller;
use crate::node::reading::Granted;
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// Which encoding of a Change this is, among those the doors share.
const DIALECT: u8 = 200;

/// What a stream tells next.
pub enum Told {
    /// Messages as JSON, one each; the ids they resume from.
    Lines(Vec<(String, Bytes)>),
    /// Nothing more, ever.
    End,
}

/// One stream.
pub struct Feed {
    site: Arc<Site>,
    caller: Caller,
    room: Arc<Room>,
    /// `None` for a stream that ends with the backlog.
    listener: Option<Listener>,
    /// What was told so far.
    told: Seq,
    /// Where the backlog ends and the listener begins.
    as_of: Seq,
    phase: Phase,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Backlog,
    Live,
    /// The right to read, or the place, has to be found again.
    Again,
    Over,
}

impl Feed {
    /// A stream of a room for a caller, from `since` on; it ends with the backlog when it only polls.
    pub fn open(
        site: Arc<Site>,
        caller: Caller,
        room: &str,
        since: &Since,
        polls: bool,
    ) -> Result<Feed, Problem> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Feed::try_open(&site, &caller, room, since, polls) {
                Ok(feed) => return Ok(feed),
                // Something about the caller's rights happened just now.
                Err(Shut::Out(Refused::Stale)) if tries < STREAM_STALE_MAX => {}
                Err(Shut::Out(refused)) => return Err(busy(refused)),
                Err(Shut::Refused(refusal)) => return Err(refused(refusal, room)),
            }
        }
    }

    fn try_open(
        site: &Arc<Site>,
        caller: &Caller,
        name: &str,
        since: &Since,
        polls: bool,
    ) -> Result<Feed, Shut> {
        let (who, room, granted, told) = site.node.read(|reading| {
            let actor = reading.actor(caller)?;
            let (room, granted) = reading.room_for(&actor, name)?;
            let told = since.after(reading, &granted.permit, granted.as_of)?;
            let token = if let Caller::Token(hash) = caller { Some(*hash) } else { None };
            let who = Who { user: actor.user.id.clone(), roles: actor.user.roles, token };
            Ok((who, room, granted, told))
        })?;
        let Granted { permit, as_of } = granted;
        let listener = match polls {
            true => None,
            false => {
                let listener = site.node.hub.attach(who, as_of)?;
                listener.follow_room(permit, as_of)?;
                Some(listener)
            }
        };
        let (site, caller) = (site.clone(), caller.clone());
        Ok(Feed { site, caller, room, listener, told, as_of, phase: Phase::Backlog })
    }

    /// Whether it ends with the backlog.
    pub fn polls(&self) -> bool {
        self.listener.is_none()
    }

    /// The line that opens a stream, or shows that it is alive; with the place to go on from.
    pub fn signal(&self, event: &'static str) -> Bytes {
        let signal = self.site.node.read(|reading| {
            let world = reading.world();
            let (id, time) = (random_text(world, 12), reading.now().wall_ms / 1_000);
            let (topic, seq) = (self.room.label(), self.told.max(self.as_of).0);
            Ok(json!({"id": id, "time": time, "event": event, "topic": topic, "seq": seq}))
        });
        signal.map_or_else(|_| Bytes::new(), |signal| signal.to_string().into())
    }

    /// What comes next; waits for it. Nothing is lost when it is not waited for.
    pub async fn next(&mut self) -> Told {
        loop {
            let lines = match self.phase {
                Phase::Backlog => self.backlog(),
                Phase::Live => self.live().await,
                Phase::Again => {
                    self.begin_again();
                    continue;
                }
                Phase::Over => return Told::End,
            };
            if !lines.is_empty() {
                return Told::Lines(lines);
            }
        }
    }

    /// A page of what was said before the listener's place.
    fn backlog(&mut self) -> Vec<(String, Bytes)> {
        let page = self.site.node.read(|reading| {
            // Asked at each page: a slow reader's right may have ended since.
            let (_, granted) = reading.room_for(&reading.actor(&self.caller)?, self.room.id.as_str())?;
            reading.messages_after(&granted.permit, self.told, PAGE_MESSAGES_MAX)
        });
        let Ok(mut page) = page else {
            self.phase = Phase::Over;
            return Vec::new();
        };
        let is_last = page.len() < PAGE_MESSAGES_MAX || page.last().is_some_and(|m| m.seq >= self.as_of);
        page.retain(|message| message.seq <= self.as_of);
        if let Some(last) = page.last() {
            self.told = last.seq;
        }
        if is_last {
            self.told = self.told.max(self.as_of);
            self.phase = if self.polls() { Phase::Over } else { Phase::Live };
        }
        page.iter().filter_map(|message| self.line(message)).collect()
    }

    async fn live(&mut self) -> Vec<(String, Bytes)> {
        let Some(listener) = &mut self.listener else {
            self.phase = Phase::Over;
            return Vec::new();
        };
        listener.ready().await;
        let mut lines = Vec::new();
        for event in listener.drain(STREAM_EVENTS_MAX).events {
            match event {
                Event::Change { change, .. } => {
                    self.told = self.told.max(change.seq);
                    if let What::Posted { message, .. } = &change.what
                        && message.room == self.room.id
                    {
                        lines.extend(self.line(message));
                    }
                }
                Event::RoomRevoked { room, at, .. } if room == self.room.id => {
                    self.told = self.told.max(at);
                    self.phase = Phase::Again;
                    break;
                }
                Event::Resync { since } => {
                    // The listener knows nothing of the backlog, which may have told more than it.
                    self.told = self.told.max(since);
                    self.phase = Phase::Again;
                    break;
                }
                Event::Ended(_) => {
                    self.phase = Phase::Over;
                    break;
                }
                Event::RoomRevoked { .. } | Event::Signal(_) => {}
            }
        }
        lines
    }

    /// Asks for the right anew, and goes on from what was told; or it is over.
    fn begin_again(&mut self) {
        for _ in 0..STREAM_STALE_MAX {
            let granted = self.site.node.read(|reading| {
                let actor = reading.actor(&self.caller)?;
                Ok(reading.room_for(&actor, self.room.id.as_str())?.1)
            });
            let Ok(Granted { permit, as_of }) = granted else { break };
            match self.listener.as_ref().map(|listener| listener.follow_room(permit, as_of)) {
                Some(Ok(())) => {
                    self.as_of = as_of;
                    self.phase = Phase::Backlog;
                    return;
                }
                Some(Err(Refused::Stale)) => {}
                Some(Err(_)) | None => break,
            }
        }
        self.phase = Phase::Over;
    }

    /// The message as JSON, encoded once for all streams; `None` for what the node tells of the room itself.
    fn line(&self, message: &Message) -> Option<(String, Bytes)> {
        if message.kind != MessageKind::Said {
            return None;
        }
        let encode = || {
            let line = Line::new(self.room.label(), message);
            Bytes::from(serde_json::to_vec(&line).expect("texts and numbers always make JSON"))
        };
        let revised = message.edited.is_some();
        let bytes = match revised {
            // The cache knows the message as it was said.
            true => encode(),
            false => self.site.node.hub.frames().get(message.seq, DIALECT, encode),
        };
        Some((message.id.as_str().to_owned(), bytes))
    }
}

/// Why a stream does not begin.
enum Shut {
    Refused(Refusal),
    Out(Refused),
}

impl From<Refusal> for Shut {
    fn from(refusal: Refusal) -> Self {
        Shut::Refused(refusal)
    }
}

impl From<Refused> for Shut {
    fn from(refused: Refused) -> Self {
        Shut::Out(refused)
    }
}

fn busy(refused: Refused) -> Problem {
    let words = match refused {
        Refused::TooManyListeners => "too many listen at this node: try again later",
        _ => "the rights of this token are just being changed: try again",
    };
    problem(StatusCode::SERVICE_UNAVAILABLE, words)
}
