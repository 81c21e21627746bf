//! What people say in a room, on its way to a broker. A place in the room's order, kept in the node, says how far the
//! broker has acknowledged: after hours without the broker, or without this node, it goes on from there, a page at a time.
//! Nothing waits in memory but what the broker has not acknowledged yet.
//!
//! A message's packet id follows from its place, so that one that has to be sent again keeps its packet id even when
//! this program was started anew.

use super::Bridge;
use super::fault::Fault;
use super::guard::{Origin, PROPERTY};
use super::rule::Tells;
use super::saying::Saying;
use super::wire::{Sent, Welcome, Wire};
use crate::base::id::{Seq, UserId};
use crate::base::limits::{
    BRIDGE_MARK_MESSAGES, BRIDGE_MARK_MS, BRIDGE_SKIPPED_MAX, BRIDGE_STALLED_SECONDS, BRIDGE_WINDOW_MAX,
    STREAM_EVENTS_MAX, STREAM_STALE_MAX,
};
use crate::chat::message::{Message, MessageKind};
use crate::chat::refusal::Refusal;
use crate::delivery::{Event, Listener, Refused, Who};
use crate::doors::mqtt::bridge::broker::Version;
use crate::node::reading::Granted;
use heapless::Deque;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Packet ids of messages are not above this; the bridge's own words have those that are left.
const PACKETS: u64 = 65_000;
/// Bytes of a packet beside topic, payload and properties: head, lengths, packet id.
const HEAD_BYTES: usize = 64;

/// A message that the broker has not acknowledged.
struct Flight {
    packet: u16,
    seq: Seq,
    since: Instant,
    is_taken: bool,
}

#[derive(PartialEq, Eq)]
enum Phase {
    /// There may be something that was not read.
    Behind,
    /// Everything was read; the listener tells of more.
    Level,
    /// The right to read has to be found again.
    Again,
    /// The room is gone, or closed to the bridge.
    Over,
}

/// What is sent over one connection.
pub(super) struct Sending<'a> {
    bridge: &'a Bridge,
    tells: &'a Tells,
    listener: Listener,
    phase: Phase,
    /// What was read and not sent yet.
    page: VecDeque<Message>,
    /// Up to here everything was sent, or is not for the broker.
    told: Seq,
    flights: Deque<Flight, BRIDGE_WINDOW_MAX>,
    window: usize,
    packet_bytes_max: usize,
    /// The bots that speak for this broker.
    brought_by: Vec<UserId>,
    /// How far the broker has acknowledged, as the node knows.
    marked: Seq,
    /// Messages acknowledged that the node's mark does not know of, and when it has to.
    unmarked: usize,
    mark_at: Option<Instant>,
}

impl<'a> Sending<'a> {
    /// From where the last connection ended; a bridge that is new begins with what is said from now on.
    pub async fn open(
        bridge: &'a Bridge,
        tells: &'a Tells,
        welcome: &Welcome,
    ) -> Result<Option<Self>, Fault> {
        let (listener, as_of) = match listen(bridge) {
            Ok(listening) => listening,
            Err(Shut::Full) => return Err(Fault::NoSeat),
            Err(Shut::Out(refusal)) => {
                let room = bridge.rule.room.as_str();
                tracing::warn!(bridge = bridge.rule.name, room, ?refusal, "the bridge cannot read the room");
                return Ok(None);
            }
        };
        let (name, room) = (bridge.rule.name.as_str(), &bridge.room);
        let known = bridge.node.read(|reading| reading.bridge_mark(name)).map_err(|_| Fault::StoreFailed)?;
        let known = known.filter(|(marked, _)| marked == room).map(|(_, seq)| seq);
        let brought_by = bridge.rule.fellows.iter().map(String::as_str).chain([name]);
        let mut sending = Self {
            bridge,
            tells,
            listener,
            phase: Phase::Behind,
            page: VecDeque::new(),
            told: known.unwrap_or(as_of),
            flights: Deque::new(),
            window: BRIDGE_WINDOW_MAX.min(welcome.unacknowledged_max.into()),
            packet_bytes_max: welcome.packet_bytes_max,
            brought_by: brought_by.filter_map(|name| UserId::parse(&format!("bridge.{name}"))).collect(),
            marked: known.unwrap_or(Seq(0)),
            unmarked: 0,
            mark_at: None,
        };
        if known.is_none() {
            sending.mark().await?;
        }
        Ok(Some(sending))
    }

    /// The next message to send; waits for it. Nothing is lost when it is not waited for.
    pub async fn next(&mut self) -> Result<Message, Fault> {
        loop {
            while let Some(message) = self.page.pop_front() {
                if self.is_for_broker(&message) {
                    let packet = packet_of(message.seq);
                    if self.flights.iter().any(|flight| flight.packet == packet) {
                        self.page.push_front(message);
                        return std::future::pending().await;
                    }
                    return Ok(message);
                }
                self.passed_over(message.seq);
            }
            if self.flights.len() >= self.window {
                return std::future::pending().await;
            }
            match self.phase {
                Phase::Behind => {
                    self.read_page()?;
                    // Much of it may be passed over; others want to run meanwhile.
                    tokio::task::yield_now().await;
                }
                Phase::Level => self.wait().await,
                Phase::Again => self.begin_again(),
                Phase::Over => return std::future::pending().await,
            }
        }
    }

    fn is_for_broker(&self, message: &Message) -> bool {
        message.kind == MessageKind::Said
            && !message.text.is_blank()
            && !self.brought_by.contains(&message.author.id)
    }

    fn read_page(&mut self) -> Result<(), Fault> {
        let (bridge, max) = (self.bridge, self.window - self.flights.len());
        let page = bridge.node.read(|reading| {
            let actor = reading.actor(&bridge.caller())?;
            let (_, granted) = reading.room_for(&actor, bridge.room.as_str())?;
            reading.messages_after(&granted.permit, self.told, max)
        });
        match page {
            Ok(page) => {
                if page.is_empty() {
                    self.phase = Phase::Level;
                }
                self.page = page.into();
                Ok(())
            }
            Err(Refusal::StoreFailed) => Err(Fault::StoreFailed),
            Err(_) => {
                self.phase = Phase::Over;
                Ok(())
            }
        }
    }

    async fn wait(&mut self) {
        self.listener.ready().await;
        for event in self.listener.drain(STREAM_EVENTS_MAX).events {
            self.phase = match event {
                Event::Change { .. } if self.phase == Phase::Level => Phase::Behind,
                Event::RoomRevoked { .. } | Event::Resync { .. } => Phase::Again,
                Event::Ended(_) => Phase::Over,
                _ => continue,
            };
        }
    }

    fn begin_again(&mut self) {
        match listen(self.bridge) {
            Ok((listener, _)) => (self.listener, self.phase) = (listener, Phase::Behind),
            Err(_) => self.phase = Phase::Over,
        }
    }

    /// Hands a message to the connection.
    pub fn send(&mut self, message: &Message, wire: &mut Wire) {
        let (bridge, topic) = (self.bridge, &self.tells.topic);
        let origin = Origin { node: bridge.guard.node(), seq: message.seq.0, id: message.id.clone() };
        let payload = self.tells.saying.say(topic, message, bridge.rule.room.as_str(), &origin);
        let properties = [(PROPERTY, origin.text())];
        let bytes = HEAD_BYTES + topic.len() + payload.len() + PROPERTY.len() + properties[0].1.len();
        if bytes > self.packet_bytes_max {
            bridge.status.dropped();
            tracing::warn!(bridge = bridge.rule.name, bytes, "a message is larger than the broker takes");
            return self.passed_over(message.seq);
        }
        let is_unmarked = bridge.rule.version == Version::V4 && self.tells.saying != Saying::Json;
        if is_unmarked && bridge.rule.hears.as_ref().is_some_and(|hears| hears.binding.topic.matches(topic)) {
            bridge.guard.said(topic, &payload);
        }
        let packet = packet_of(message.seq);
        let again = bridge.sent.fetch_max(message.seq.0, Ordering::Relaxed) >= message.seq.0;
        wire.publish(&Sent {
            topic,
            payload: &payload,
            packet,
            again,
            retain: false,
            properties: &properties,
        });
        self.told = message.seq;
        let flight = Flight { packet, seq: message.seq, since: Instant::now(), is_taken: false };
        self.flights.push_back(flight).map_err(|_| "full").expect("it was asked whether there is room");
    }

    /// The broker has taken a message, or will not have it: then it is not sent again.
    pub fn acknowledged(&mut self, packet: u16, taken: Result<(), String>) -> Result<(), Fault> {
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.packet == packet) else {
            return Ok(());
        };
        flight.is_taken = true;
        let status = &self.bridge.status;
        match taken {
            Ok(()) => status.sent(),
            // Later it may have room.
            Err(code) if code == "QuotaExceeded" => return Err(Fault::SentAway(code)),
            Err(code) => {
                status.dropped();
                tracing::warn!(bridge = self.bridge.rule.name, code, "the broker does not take a message");
            }
        }
        while self.flights.front().is_some_and(|flight| flight.is_taken) {
            self.flights.pop_front();
            self.unmarked += 1;
        }
        self.note();
        Ok(())
    }

    fn passed_over(&mut self, seq: Seq) {
        self.told = seq;
        // Only what was sent is worth a write; but a start shall not have to look through all of it again.
        if seq.0 - self.marked.0.min(seq.0) > BRIDGE_SKIPPED_MAX {
            self.note();
        }
    }

    fn note(&mut self) {
        let within = Duration::from_millis(BRIDGE_MARK_MS);
        self.mark_at.get_or_insert_with(|| Instant::now() + within);
        if self.unmarked >= BRIDGE_MARK_MESSAGES {
            self.mark_at = Some(Instant::now());
        }
    }

    /// Whether the broker has acknowledged everything that was sent.
    pub fn is_settled(&self) -> bool {
        self.flights.is_empty()
    }

    /// Whether the broker is alive and has forgotten what it was sent.
    pub fn is_forgotten(&self) -> bool {
        let patience = Duration::from_secs(BRIDGE_STALLED_SECONDS);
        self.flights.front().is_some_and(|flight| flight.since.elapsed() > patience)
    }

    /// When the node's mark has to be moved.
    pub fn mark_at(&self) -> Option<Instant> {
        self.mark_at
    }

    /// Everything up to here needs not be sent again.
    fn reached(&self) -> Seq {
        self.flights.front().map_or(self.told, |flight| Seq(flight.seq.0 - 1))
    }

    /// Moves the node's mark to what the broker has acknowledged.
    pub async fn mark(&mut self) -> Result<(), Fault> {
        let reached = self.reached();
        (self.mark_at, self.unmarked) = (None, 0);
        if reached == self.marked {
            return Ok(());
        }
        let (caller, name, room) =
            (self.bridge.caller(), self.bridge.rule.name.clone(), self.bridge.room.clone());
        let set = move |node: &mut crate::node::Node| node.mark_bridge(&caller, &name, &room, reached);
        match self.bridge.node.call(&self.bridge.caller(), set).await {
            Ok(()) => self.marked = reached,
            // The next acknowledgement asks again; until then more would be sent twice.
            Err(Refusal::Busy) => {}
            Err(Refusal::DiskFull) => return Err(Fault::DiskFull),
            Err(_) => return Err(Fault::StoreFailed),
        }
        Ok(())
    }
}

fn packet_of(seq: Seq) -> u16 {
    (1 + seq.0 % PACKETS) as u16
}

enum Shut {
    Full,
    Out(Refusal),
}

/// Listens to the room from now on.
fn listen(bridge: &Bridge) -> Result<(Listener, Seq), Shut> {
    for _ in 0..STREAM_STALE_MAX {
        let found = bridge.node.read(|reading| {
            let actor = reading.actor(&bridge.caller())?;
            let (_, granted) = reading.room_for(&actor, bridge.room.as_str())?;
            Ok((Who { user: actor.user.id.clone(), roles: actor.user.roles, token: None }, granted))
        });
        let (who, Granted { permit, as_of }) = found.map_err(Shut::Out)?;
        let listening = bridge.node.hub.attach(who, as_of);
        match listening.and_then(|listener| listener.follow_room(permit, as_of).map(|()| listener)) {
            Ok(listener) => return Ok((listener, as_of)),
            // Something about the bridge's rights happened just now.
            Err(Refused::Stale) => {}
            Err(_) => return Err(Shut::Full),
        }
    }
    Err(Shut::Full)
}
