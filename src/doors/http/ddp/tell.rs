//! From what happened to what a client reads: bytes that all sessions share where they can be the same.

use super::derived::Derived;
use super::frame::Framing;
use super::message;
use super::session::Session;
use super::socket::End;
use super::standing::LOGGED_OUT;
use super::subscriptions::want;
use crate::base::id::{RoomId, Seq};
use crate::base::limits::{DDP_EVENTS_AT_ONCE, DDP_WRITE_BYTES};
use crate::chat::change::{Change, What};
use crate::chat::message::Message;
use crate::delivery::{Event, Reach};
use crate::doors::http::wire::{self, Dates};
use crate::doors::reach::frame::Goodbye;
use crate::node::{Catalog, NodeHandle};
use bytes::Bytes;
use serde_json::json;

/// Reconnecting clients load what they missed.
const BEHIND: Goodbye = Goodbye { code: 1013, reason: "too far behind: connect again and reload" };

/// What clients show of the time before is wrong; no event of theirs says so of a whole history.
const CORRECTED: Goodbye =
    Goodbye { code: 1012, reason: "the clock was set and times were corrected: connect again and reload" };

fn corrects_times(change: &Change) -> bool {
    matches!(&change.what, What::ClockSet(set) if set.since < change.seq)
}

/// The dialects of this door in the node's frames, each doubled by [`Framing`].
#[derive(Clone, Copy)]
enum Dialect {
    Room = 16,
    Mine = 18,
    Deletion = 20,
}

impl Dialect {
    fn number(self, framing: Framing) -> u8 {
        self as u8 + u8::from(framing == Framing::SockJs)
    }
}

impl Session {
    /// Tells the client what happened since it was last told.
    pub(super) async fn tell(&mut self) -> Result<(), End> {
        let Some(member) = &self.member else { return Ok(()) };
        let drained = member.listener.drain(DDP_EVENTS_AT_ONCE);
        let mut derived = Derived::default();
        for event in drained.events {
            match event {
                Event::Change { change, .. } if corrects_times(&change) => return Err(CORRECTED.into()),
                Event::Change { change, reach } => {
                    self.tell_change(&change, reach);
                    self.derive(&mut derived, &change, reach);
                }
                Event::RoomRevoked { room, at, reach } if reach.room => self.room_revoked(&room, at),
                Event::RoomRevoked { .. } => {}
                Event::Signal(signal) => self.tell_signal(&signal),
                Event::Resync { .. } => return Err(BEHIND.into()),
                Event::Ended(_) => {
                    // What came before the end was told already: the client reads it, and then the end.
                    return Err(LOGGED_OUT.into());
                }
            }
            if self.socket.pending() > DDP_WRITE_BYTES {
                self.socket.flush().await?;
            }
        }
        self.tell_derived(derived);
        Ok(())
    }

    fn tell_change(&mut self, change: &Change, reach: Reach) {
        match &change.what {
            What::Posted { message, .. } | What::Revised { message, .. } => {
                if reach.room && self.subscriptions.of_room(&message.room) & want::MESSAGES != 0 {
                    self.put_frame(change.seq, Dialect::Room, |node| of_room(node, message));
                }
                if reach.mine && self.subscriptions.own(want::MY_MESSAGES) != 0 {
                    self.put_frame(change.seq, Dialect::Mine, |node| of_mine(node, message));
                }
            }
            What::Deleted { room, id, .. }
                if reach.room && self.subscriptions.of_room(room) & want::DELETIONS != 0 =>
            {
                self.put_frame(change.seq, Dialect::Deletion, |_| deletion(room, id.as_str()));
            }
            _ => {}
        }
    }

    /// Puts the frame for a Change, encoded by the first session that asks.
    fn put_frame(&mut self, seq: Seq, dialect: Dialect, event: impl FnOnce(&NodeHandle) -> Vec<u8>) {
        let framing = self.socket.framing;
        let frame = self.node.hub.frames().get(seq, dialect.number(framing), || {
            let event = event(&self.node);
            let mut frame = Vec::with_capacity(event.len() + 10);
            framing.put(&mut frame, &event);
            Bytes::from(frame)
        });
        self.socket.out().extend_from_slice(&frame);
    }

    /// Puts an event that only this client reads.
    pub(super) fn put_event(&mut self, stream: &str, event: &str, args: &[u8]) {
        let event = message::event(stream, event, args);
        let framing = self.socket.framing;
        framing.put(self.socket.out(), &event);
    }
}

fn of_room(node: &NodeHandle, message: &Message) -> Vec<u8> {
    let mut args = vec![b'['];
    write(node, message, &mut args);
    args.push(b']');
    message::event("stream-room-messages", message.room.as_str(), &args)
}

/// A message for those who hear all rooms they are in, with what kind of room it was said in.
fn of_mine(node: &NodeHandle, message: &Message) -> Vec<u8> {
    let room = node.read(|reading| reading.room(&message.room).map_err(crate::node::refuse)).ok().flatten();
    let mut about = json!({ "roomParticipant": true });
    if let Some(room) = room {
        about["roomType"] = wire::room::letter(room.kind).into();
        if let Some(name) = &room.name {
            about["roomName"] = name.as_str().into();
        }
    }
    let mut args = vec![b'['];
    write(node, message, &mut args);
    args.push(b',');
    args.extend_from_slice(about.to_string().as_bytes());
    args.push(b']');
    message::event("stream-room-messages", "__my_messages__", &args)
}

fn write(node: &NodeHandle, message: &Message, out: &mut Vec<u8>) {
    let written = node.read(|reading| {
        wire::message::write(message, Dates::Ejson, reading, out);
        Ok(())
    });
    written.expect("writing a message is refused to nobody");
}

fn deletion(room: &RoomId, id: &str) -> Vec<u8> {
    let args = json!([{ "_id": id }]).to_string();
    message::event("stream-notify-room", &format!("{room}/deleteMessage"), args.as_bytes())
}
