//! One client's connection: it wakes, does what there is to do, writes once, and waits again.

use super::Broker;
use super::bell::{Bell, Ring};
use super::packet::{Connect, Decoder, In, Out, Peer, Reason, Version, Wrong, encode};
use super::registry;
use super::rooms::Rooms;
use super::session::{Heard, Session, Told};
use super::socket::{Lost, Scratch, Socket};
use super::subscribe::Walk;
use super::will::Will;
use crate::base::id::Seq;
use crate::base::limits::{BRIDGE_BUSY_WAIT_MS, MQTT_RECEIVE_MAX, MQTT_WRITE_SECONDS_MAX};
use crate::chat::policy::MayPublish;
use crate::chat::publication::Subscription;
use crate::chat::refusal::Refusal;
use crate::delivery::TopicSeat;
use crate::node::Caller;
use crate::node::reply::Answer;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

/// Why a connection is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The client said that it goes; whether its will stays in force.
    Left {
        /// It wants its will to be published all the same.
        with_will: bool,
    },
    /// There is nobody to tell.
    Lost,
    /// The client did what is wrong.
    Wrong(Wrong),
    /// Somebody else wants it to be over.
    Rung(Ring),
}

impl From<Lost> for End {
    fn from(Lost: Lost) -> Self {
        End::Lost
    }
}

impl From<Wrong> for End {
    fn from(wrong: Wrong) -> Self {
        End::Wrong(wrong)
    }
}

/// A keep-alive that nobody kept.
const SILENT: Wrong =
    Wrong { reason: Reason::KEEP_ALIVE_TIMEOUT, words: "nothing was heard for one and a half keep-alives" };

/// Something that waits for the disk, and what follows it.
type Op = Box<dyn FnMut(&mut Connection, &mut Context<'_>) -> Poll<Result<(), End>> + Send>;

/// Whether a packet was dealt with.
pub(super) enum Flow {
    /// It was.
    Done,
    /// Something before it has to be done first.
    Wait(In),
}

/// One client.
pub(super) struct Connection {
    pub broker: Arc<Broker>,
    pub socket: Socket,
    pub peer: Peer,
    pub caller: Caller,
    pub session: Box<Session>,
    pub seat: TopicSeat,
    pub heard: Heard,
    pub told: Told,
    /// Another broker's bridge: it is not told what it brought.
    pub is_bridge: bool,
    pub will: Option<Will>,
    /// What is retained for new subscriptions, and not told yet.
    pub retained: VecDeque<Walk>,
    /// What was kept after here is heard as it comes.
    pub live_from: Seq,
    /// The rooms the client hears, if it hears any.
    pub rooms: Option<Box<Rooms>>,
    /// What the client hears.
    pub hears: Vec<Subscription>,
    /// Rights to publish that were asked for last, and the places at which they held.
    pub permits: VecDeque<(MayPublish, Seq)>,
    /// Numbers of what is to arrive exactly once are on their way to the disk.
    pub is_handing: bool,
    /// Acknowledgements since the node was told how far the client has heard.
    pub acks: u32,
    decoder: Decoder,
    /// Read, and not understood yet, since something before it has to be done first.
    unread: Vec<u8>,
    held: Option<In>,
    /// What waits for the disk, in the order of the client's packets.
    ops: VecDeque<Op>,
    bell: Arc<Bell>,
    pub place: registry::Seat,
    pub socket_place: OwnedSemaphorePermit,
    keep_alive: Option<Duration>,
    last_in: Instant,
    stalled_since: Option<Instant>,
    retry_at: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

/// What a connection is made of.
pub(super) struct Made {
    pub broker: Arc<Broker>,
    pub socket: Socket,
    pub decoder: Decoder,
    pub unread: Vec<u8>,
    pub bell: Arc<Bell>,
    pub place: registry::Seat,
    pub socket_place: OwnedSemaphorePermit,
    pub caller: Caller,
    pub session: Box<Session>,
    pub seat: TopicSeat,
    pub hears: Vec<Subscription>,
    pub live_from: Seq,
    pub will: Option<Will>,
}

impl Connection {
    /// A connection whose client was let in.
    pub fn new(made: Made, connect: &Connect, aliases_max: u16) -> Box<Self> {
        let keep_alive = (connect.keep_alive_s > 0)
            .then(|| Duration::from_millis(u64::from(connect.keep_alive_s) * 1_500));
        let now = Instant::now();
        made.broker.counts.connections.add(1);
        Box::new(Self {
            broker: made.broker,
            socket: made.socket,
            peer: Peer::of(connect),
            caller: made.caller,
            session: made.session,
            seat: made.seat,
            heard: Heard::default(),
            told: Told::new(aliases_max),
            is_bridge: connect.is_bridge,
            will: made.will,
            retained: VecDeque::new(),
            live_from: made.live_from,
            rooms: None,
            hears: made.hears,
            permits: VecDeque::new(),
            is_handing: false,
            acks: 0,
            decoder: made.decoder,
            unread: made.unread,
            held: None,
            ops: VecDeque::new(),
            bell: made.bell,
            place: made.place,
            socket_place: made.socket_place,
            keep_alive,
            last_in: now,
            stalled_since: None,
            retry_at: None,
            sleep: Box::pin(sleep_until(now + keep_alive.unwrap_or(FAR))),
        })
    }

    /// Lives until either side has enough.
    pub async fn run(mut self: Box<Self>) {
        let end = poll_fn(|context| self.poll(context)).await;
        Box::pin(self.close(end)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            match self.turn(context) {
                Ok(true) => {}
                Ok(false) => match self.poll_time(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Pending => return Poll::Pending,
                },
                Err(end) => return Poll::Ready(end),
            }
        }
    }

    /// Does what there is to do; whether there was anything.
    fn turn(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        if let Poll::Ready(why) = self.bell.poll_rung(context) {
            if why == Ring::Stopping {
                // The node's farewell is the last that was said.
                self.tell(context)?;
            }
            return Err(End::Rung(why));
        }
        if self.socket.is_stalled() {
            match self.socket.poll_rest(context) {
                Poll::Ready(Ok(_)) => self.stalled_since = self.socket.is_stalled().then(Instant::now),
                Poll::Ready(Err(Lost)) => return Err(End::Lost),
                Poll::Pending => return Ok(false),
            }
            if self.socket.is_stalled() {
                return Ok(true);
            }
        }
        let mut did = self.poll_ops(context)?;
        did |= self.hear(context)?;
        did |= self.tell(context)?;
        self.broker.counts.bytes_out.add(self.socket.write()? as u64);
        if self.socket.is_stalled() && self.stalled_since.is_none() {
            self.stalled_since = Some(Instant::now());
        }
        self.weigh();
        Ok(did)
    }

    /// Puts on the scales what is held for this client.
    fn weigh(&mut self) {
        let held = if let Some(In::Publish(publish)) = &self.held { publish.payload.len() } else { 0 };
        let read = self.decoder.memory_bytes() + self.unread.capacity() + held;
        let will = self.will.as_ref().map_or(0, |will| will.publication.payload.len());
        let sent = self.session.sent_bytes() + self.socket.held_bytes();
        self.session.load.set(sent, read + will);
    }

    /// Ready when some time is over.
    fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let silent_at = self.keep_alive.map(|keep_alive| self.last_in + keep_alive);
        let stalled_at = self.stalled_since.map(|since| since + Duration::from_secs(MQTT_WRITE_SECONDS_MAX));
        let now = Instant::now();
        let next = [silent_at, stalled_at, self.retry_at].into_iter().flatten().min().unwrap_or(now + FAR);
        // Only an earlier time is worth setting the timer anew: a later one is looked at when it goes off.
        if next < self.sleep.deadline() || self.sleep.is_elapsed() {
            self.sleep.as_mut().reset(next);
        }
        ready!(self.sleep.as_mut().poll(context));
        if stalled_at.is_some_and(|at| at <= now) {
            return Poll::Ready(Err(End::Lost));
        }
        if silent_at.is_some_and(|at| at <= now) {
            return Poll::Ready(Err(SILENT.into()));
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_ops(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut did = false;
        while let Some(mut op) = self.ops.pop_front() {
            match op(self, context) {
                Poll::Ready(done) => done?,
                Poll::Pending => {
                    self.ops.push_front(op);
                    break;
                }
            }
            did = true;
        }
        Ok(did)
    }

    /// Takes in what the client sent, as far as it may be begun now.
    fn hear(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut did = false;
        if !self.is_blocked() && (self.held.is_some() || !self.unread.is_empty()) {
            let unread = std::mem::take(&mut self.unread);
            self.take_in(&unread)?;
            // Even if it only got as far as something that waits: that has to be looked at, or nobody is woken for it.
            did = true;
        }
        if self.is_blocked() || self.held.is_some() {
            return Ok(did);
        }
        let mut scratch = Scratch::take();
        match self.socket.poll_read(context, &mut scratch) {
            Poll::Ready(Ok(bytes)) => {
                self.last_in = Instant::now();
                self.broker.counts.bytes_in.add(bytes as u64);
                self.take_in(&scratch[..bytes])?;
                Ok(true)
            }
            Poll::Ready(Err(Lost)) => Err(End::Lost),
            Poll::Pending => Ok(did),
        }
    }

    /// Whoever has enough under way is not read from: the rest waits in their own machine.
    fn is_blocked(&self) -> bool {
        self.ops.len() >= usize::from(MQTT_RECEIVE_MAX)
            || self.retry_at.is_some()
            || (self.held.is_some() && !self.ops.is_empty())
    }

    fn take_in(&mut self, mut fresh: &[u8]) -> Result<(), End> {
        while !self.is_blocked() {
            let packet = match self.held.take() {
                Some(held) => held,
                None => match self.decoder.next(&mut fresh)? {
                    Some(packet) => {
                        self.broker.counts.packets_in.add(1);
                        packet
                    }
                    None => return Ok(()),
                },
            };
            if let Flow::Wait(packet) = self.on_packet(packet)? {
                self.held = Some(packet);
                break;
            }
        }
        self.unread.extend_from_slice(fresh);
        Ok(())
    }

    /// Whether something waits for the disk.
    pub fn is_waiting(&self) -> bool {
        !self.ops.is_empty()
    }

    /// Has something follow an answer of the node, in the order of the client's packets.
    pub fn after<T: Send + 'static>(
        &mut self,
        mut answer: Answer<Result<T, Refusal>>,
        then: impl FnOnce(&mut Connection, Result<T, Refusal>) -> Result<(), End> + Send + 'static,
    ) {
        let mut then = Some(then);
        self.ops.push_back(Box::new(move |connection, context| {
            let result = ready!(Pin::new(&mut answer).poll(context)).unwrap_or(Err(Refusal::StoreFailed));
            let then = then.take().expect("an op that is ready is not polled again");
            Poll::Ready(then(connection, result))
        }));
    }

    /// Sends a packet behind what waits for the disk.
    pub fn in_turn(&mut self, send: impl FnOnce(&mut Connection) + Send + 'static) {
        if self.ops.is_empty() {
            return send(self);
        }
        let mut send = Some(send);
        self.ops.push_back(Box::new(move |connection, _| {
            send.take().expect("an op that is ready is not polled again")(connection);
            Poll::Ready(Ok(()))
        }));
    }

    /// Comes back to the packet that is held after a moment.
    pub fn retry_soon(&mut self) {
        self.retry_at = Some(Instant::now() + Duration::from_millis(BRIDGE_BUSY_WAIT_MS));
    }

    /// Puts a packet behind what is to be written.
    pub fn put(&mut self, packet: &Out<'_>) {
        self.broker.counts.packets_out.add(1);
        if !encode(&self.peer, packet, self.socket.out()) {
            tracing::debug!(client = %self.session.client, "an answer is longer than the client takes");
        }
    }

    async fn close(mut self: Box<Self>, mut end: End) {
        tracing::debug!(client = %self.session.client, ?end, "a connection ends");
        // What is left to do may wait for the client; what it sent is held for it no longer.
        (self.decoder, self.unread, self.held) = (Decoder::new(), Vec::new(), None);
        if end == End::Rung(Ring::TooHeavy) && self.socket.is_stalled() {
            end = End::Lost;
        }
        let goodbye = match &end {
            End::Wrong(wrong) => Some((wrong.reason, wrong.words)),
            End::Rung(Ring::TakenOver) => Some((Reason::TAKEN_OVER, "the same client connected again")),
            End::Rung(Ring::TooHeavy) => Some((Reason::QUOTA_EXCEEDED, TOO_HEAVY)),
            End::Rung(_) => Some((Reason::SHUTTING_DOWN, "the node stops")),
            End::Left { .. } | End::Lost => None,
        };
        if let Some((reason, words)) = goodbye
            && self.peer.version == Version::V5
        {
            self.put(&Out::Disconnect { reason, words: Some(words) });
        }
        self.see_off(end).await;
    }
}

/// What a client hears for which more was held than for anybody else.
const TOO_HEAVY: &str = "too much is held for this client: send whole packets, read, and acknowledge";

/// Long enough to be never.
const FAR: Duration = Duration::from_secs(24 * 3_600);
