//! One connection to a broker: it hears, posts in order and several at a time, and acknowledges in the same order what
//! has reached the disk; it sends what is said in the room, and says at the broker that it is there. Each has packet ids of its own: one of a former connection would mean something else here.

use super::arrival::{Arrival, Post};
use super::dial::dial;
use super::fault::Fault;
use super::rule::{BridgeRule, Qos};
use super::sending::Sending;
use super::wire::{Heard, Introduction, Sent, Subscription, Welcome, Will, Wire};
use super::{Bridge, stopped};
use crate::base::limits::{
    BRIDGE_BUSY_WAIT_MS, BRIDGE_CONNECT_SECONDS, BRIDGE_KEEP_ALIVE_SECONDS, BRIDGE_LEAVE_MS,
    BRIDGE_POSTS_MAX, BRIDGE_STALLED_SECONDS,
};
use crate::chat::message::Message;
use crate::chat::refusal::Refusal;
use crate::doors::mqtt::binding::Key;
use crate::node::reply::Answer;
use heapless::Deque;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, interval_at, sleep, sleep_until, timeout};

/// The packet id of the one subscription; messages have smaller ones.
pub(super) const SUBSCRIPTION_PACKET: u16 = u16::MAX;
/// That of the birth.
const BIRTH_PACKET: u16 = u16::MAX - 1;
/// That of the farewell.
const FAREWELL_PACKET: u16 = u16::MAX - 2;

/// What the status topic says, in the form Zigbee2MQTT made known.
pub(super) fn state(word: &str) -> String {
    format!(r#"{{"state":"{word}","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}

/// Connects, subscribes and posts until the connection ends, or `stopping` says to leave.
pub(super) async fn run(bridge: &Bridge, mut stopping: watch::Receiver<bool>) -> Result<(), Fault> {
    // Only what is subscribed to has to be kept while the bridge is away.
    let opening = open(&bridge.rule, bridge.rule.hears.is_some(), bridge.chance());
    let opening = timeout(Duration::from_secs(BRIDGE_CONNECT_SECONDS), opening);
    let (wire, welcome) = tokio::select! {
        opened = opening => opened.map_err(|_| Fault::Silent)??,
        () = stopped(&mut stopping) => return Ok(()),
    };
    let mut session = Session::begin(bridge, wire, &welcome).await?;
    let ended = session.work(&mut stopping).await;
    if ended.is_err() {
        session.forget_flights();
    }
    let marked = session.mark().await;
    ended.and(marked)?;
    session.leave().await
}

/// A connection that the broker has welcomed; it keeps the session of one that `stays`.
pub(super) async fn open(rule: &BridgeRule, stays: bool, chance: [u8; 32]) -> Result<(Wire, Welcome), Fault> {
    let password = rule.password.read().map_err(Fault::PasswordFile)?;
    let password = password.as_ref().map_or("", |password| password.expose());
    let pipe = dial(&rule.broker, &rule.certificates, chance).await?;
    let mut wire = Wire::new(pipe, rule.version);
    let offline = state("offline");
    let will = rule.status_topic.as_ref().map(|topic| Will { topic, payload: offline.as_bytes() });
    wire.introduce(&Introduction {
        client_id: &rule.client_id,
        login: rule.user.as_ref().map(|user| (user.as_str(), password)),
        stays,
        keep_alive_seconds: BRIDGE_KEEP_ALIVE_SECONDS as u16,
        will,
    });
    loop {
        if let Heard::Welcome(welcome) = wire.next(true).await? {
            return Ok((wire, welcome));
        }
    }
}

/// Something on its way to the disk, or passed over; acknowledged in its turn either way.
struct Flight {
    packet: Option<u16>,
    answer: Option<Answer<Result<bool, Refusal>>>,
    /// What its binding has to forget if it is not said.
    key: Option<Key>,
}

impl Flight {
    /// Whether it was posted now: not when it had been before, nor when it was passed over.
    async fn landed(&mut self) -> Result<bool, Refusal> {
        match &mut self.answer {
            Some(answer) => answer.await.unwrap_or(Err(Refusal::StoreFailed)),
            None => Ok(false),
        }
    }
}

/// What is on its way, oldest first.
type Flights = Deque<Flight, BRIDGE_POSTS_MAX>;

async fn first_landed(flights: &mut Flights) -> Result<bool, Refusal> {
    match flights.front_mut() {
        Some(flight) => flight.landed().await,
        None => std::future::pending().await,
    }
}

/// The next message to send, of a bridge that sends.
async fn next_message(sending: &mut Option<Sending<'_>>) -> Result<Message, Fault> {
    match sending {
        Some(sending) => sending.next().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A connection at work.
struct Session<'a> {
    bridge: &'a Bridge,
    wire: Wire,
    flights: Flights,
    /// What found the writer busy, and since when it waits: nothing overtakes it.
    waiting: Option<(Arrival, Instant)>,
    sending: Option<Sending<'a>>,
    /// Whether the broker lets the bridge do what it is for.
    is_granted: bool,
    /// Whether the broker has taken the farewell, or there is none.
    is_farewell_taken: bool,
    pings: Interval,
    /// Whether the broker was heard since the last ping.
    is_lively: bool,
}

impl<'a> Session<'a> {
    async fn begin(bridge: &'a Bridge, wire: Wire, welcome: &Welcome) -> Result<Self, Fault> {
        let asked = welcome.keep_alive_seconds.filter(|seconds| *seconds > 0).map_or(u64::MAX, u64::from);
        let every = Duration::from_secs(BRIDGE_KEEP_ALIVE_SECONDS.min(asked));
        let sending = match &bridge.rule.tells {
            Some(tells) => Sending::open(bridge, tells, welcome).await?,
            None => None,
        };
        let mut session = Self {
            bridge,
            wire,
            flights: Flights::new(),
            waiting: None,
            sending,
            is_granted: false,
            is_farewell_taken: true,
            pings: interval_at(Instant::now() + every, every),
            is_lively: true,
        };
        match &bridge.rule.hears {
            // Also when the broker kept the session: the rule may ask for something else since.
            Some(hears) => session.wire.subscribe(
                SUBSCRIPTION_PACKET,
                &Subscription {
                    filter: hears.binding.topic.as_str(),
                    at_least_once: hears.qos == Qos::AtLeastOnce,
                },
            ),
            None => session.granted(),
        }
        Ok(session)
    }

    fn granted(&mut self) {
        self.is_granted = true;
        self.say_state(BIRTH_PACKET, "online");
        self.bridge.status.connected();
        tracing::info!(bridge = self.bridge.rule.name, "the bridge stands");
    }

    /// Says how the bridge is, for whoever looks later too.
    fn say_state(&mut self, packet: u16, word: &str) {
        if let Some(topic) = &self.bridge.rule.status_topic {
            let payload = state(word);
            let payload = payload.as_bytes();
            self.wire.publish(&Sent { topic, payload, packet, again: false, retain: true, properties: &[] });
        }
    }

    /// Whether there is a place for what comes: what is not heard stays with the broker.
    fn hears(&self) -> bool {
        self.waiting.is_none() && !self.flights.is_full()
    }

    async fn work(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<(), Fault> {
        loop {
            let hears = self.hears();
            let mark_at = self.sending.as_ref().and_then(Sending::mark_at);
            let due = self.bridge.memory().due().filter(|_| hears);
            tokio::select! {
                heard = self.wire.next(hears) => self.take(heard?)?,
                landed = first_landed(&mut self.flights), if !self.flights.is_empty() => {
                    self.acknowledge(landed)?;
                }
                () = sleep(Duration::from_millis(BRIDGE_BUSY_WAIT_MS)), if self.waiting.is_some() => {
                    self.post_what_waits()?;
                }
                message = next_message(&mut self.sending), if self.is_granted => self.send(&message?),
                () = until(mark_at) => self.mark().await?,
                () = until(due) => self.say_due()?,
                _ = self.pings.tick() => self.ping()?,
                () = stopped(stopping) => return Ok(()),
            }
        }
    }

    fn take(&mut self, heard: Heard) -> Result<(), Fault> {
        self.is_lively = true;
        match heard {
            Heard::Granted(false) => return Err(Fault::NotGranted),
            Heard::Granted(true) => self.granted(),
            Heard::Acknowledged(packet, taken) => self.acknowledged(packet, taken)?,
            Heard::Publication(publication) => {
                let Bridge { rule, guard, .. } = self.bridge;
                let arrival = Arrival::new(rule, guard, &mut self.bridge.memory(), publication);
                self.waiting = Some((arrival, Instant::now()));
                self.post_what_waits()?;
            }
            Heard::Welcome(_) | Heard::Alive => {}
        }
        Ok(())
    }

    /// The broker has taken something, or not.
    fn acknowledged(&mut self, packet: u16, taken: Result<(), String>) -> Result<(), Fault> {
        match (packet, &mut self.sending) {
            (FAREWELL_PACKET, _) => self.is_farewell_taken = true,
            (BIRTH_PACKET, _) => {
                if let (Err(code), Some(topic)) = (taken, &self.bridge.rule.status_topic) {
                    tracing::warn!(bridge = self.bridge.rule.name, topic, code, "the broker takes no status");
                }
            }
            (packet, Some(sending)) => sending.acknowledged(packet, taken)?,
            (_, None) => {}
        }
        Ok(())
    }

    fn send(&mut self, message: &Message) {
        if let Some(sending) = &mut self.sending {
            sending.send(message, &mut self.wire);
        }
    }

    /// Has the node note how far the broker has acknowledged.
    async fn mark(&mut self) -> Result<(), Fault> {
        match &mut self.sending {
            Some(sending) => sending.mark().await,
            None => Ok(()),
        }
    }

    /// Says what was withheld until now.
    fn say_due(&mut self) -> Result<(), Fault> {
        let due = self.bridge.memory().take_due(Instant::now());
        let Some(post) = due.and_then(|(word, _)| Post::later(word)) else { return Ok(()) };
        self.waiting = Some((Arrival { packet: None, post: Some(post) }, Instant::now()));
        self.post_what_waits()
    }

    /// What is not known to be said may come again, and is then to be said.
    fn forget_flights(&mut self) {
        let waiting = self.waiting.take().and_then(|(arrival, _)| arrival.post).map(|post| post.key);
        let mut memory = self.bridge.memory();
        let flying = std::mem::take(&mut self.flights);
        flying.into_iter().filter_map(|flight| flight.key).chain(waiting).for_each(|key| memory.forget(&key));
    }

    /// Gives what waits to the writer. One that finds it busy waits on.
    fn post_what_waits(&mut self) -> Result<(), Fault> {
        let Some((arrival, since)) = self.waiting.take() else { return Ok(()) };
        let answer = match &arrival.post {
            None => None,
            Some(post) => match send(self.bridge, post.clone()) {
                Ok(answer) => Some(answer),
                Err(Refusal::Busy) if since.elapsed() < Duration::from_secs(BRIDGE_STALLED_SECONDS) => {
                    self.waiting = Some((arrival, since));
                    return Ok(());
                }
                Err(refusal) => {
                    self.bridge.memory().forget(&post.key);
                    let is_busy = refusal == Refusal::Busy;
                    return Err(if is_busy { Fault::Stalled } else { Fault::StoreFailed });
                }
            },
        };
        let key = arrival.post.map(|post| post.key);
        let flight = Flight { packet: arrival.packet, answer, key };
        self.flights.push_back(flight).map_err(|_| "full").expect("it was asked whether there is room");
        Ok(())
    }

    /// Acknowledges the oldest of what was on its way, now that it is known what became of it.
    fn acknowledge(&mut self, landed: Result<bool, Refusal>) -> Result<(), Fault> {
        let Some(flight) = self.flights.pop_front() else { return Ok(()) };
        let (rule, status) = (&self.bridge.rule, &self.bridge.status);
        if let (Err(_), Some(key)) = (&landed, &flight.key) {
            self.bridge.memory().forget(key);
        }
        match landed {
            Ok(true) => status.posted(),
            // A message that came by another way, or goes round.
            Ok(false) | Err(Refusal::MessageIdTaken) => {}
            // Without an acknowledgement it comes again, when the store can take it.
            Err(Refusal::StoreFailed | Refusal::Busy) => return Err(Fault::StoreFailed),
            Err(Refusal::DiskFull) => return Err(Fault::DiskFull),
            // It would be refused each time it came again, and everything behind it would wait.
            Err(refusal) => {
                status.dropped();
                let room = rule.room.as_str();
                tracing::warn!(bridge = rule.name, room, ?refusal, "the room takes no message of the bridge");
            }
        }
        if let Some(packet) = flight.packet {
            self.wire.acknowledge(packet);
        }
        Ok(())
    }

    fn ping(&mut self) -> Result<(), Fault> {
        let is_forgotten = self.sending.as_ref().is_some_and(Sending::is_forgotten);
        // Who does not listen cannot tell.
        if self.hears() && (!self.is_lively || is_forgotten) {
            return Err(Fault::Silent);
        }
        self.is_lively = false;
        self.wire.ping();
        Ok(())
    }

    /// Waits for what is on its way, acknowledges it, says farewell and takes leave: until the broker closes the
    /// connection, which says that it has read everything. A socket that is closed with something unread in it resets the
    /// connection, and a broker whose writing fails forgets what it has yet to read. What it still sends stays with it.
    async fn leave(mut self) -> Result<(), Fault> {
        while !self.flights.is_empty() {
            let landed = first_landed(&mut self.flights).await;
            self.acknowledge(landed)?;
        }
        self.is_farewell_taken = self.bridge.rule.status_topic.is_none();
        self.say_state(FAREWELL_PACKET, "offline");
        let within = Duration::from_millis(BRIDGE_LEAVE_MS);
        if timeout(within, self.hear_last_acknowledgements()).await.is_err() {
            tracing::debug!("the broker does not acknowledge what was sent last");
        }
        self.mark().await?;
        self.wire.take_leave();
        let closed = async { while self.wire.next(true).await.is_ok() {} };
        if timeout(within, closed).await.is_err() {
            tracing::debug!("the broker does not close a connection that was left");
        }
        Ok(())
    }

    async fn hear_last_acknowledgements(&mut self) {
        while !(self.is_farewell_taken && self.sending.as_ref().is_none_or(Sending::is_settled)) {
            let heard = match self.wire.next(true).await {
                Ok(Heard::Acknowledged(packet, taken)) => self.acknowledged(packet, taken),
                Ok(_) => Ok(()),
                Err(fault) => Err(fault),
            };
            if heard.is_err() {
                return;
            }
        }
    }
}

fn send(bridge: &Bridge, post: Post) -> Result<Answer<Result<bool, Refusal>>, Refusal> {
    let (caller, room) = (bridge.caller(), bridge.room.clone());
    bridge.node.send(&bridge.caller(), move |node| match post.via {
        Some(via) => {
            let posted = node.post_delivery(&caller, &room, post.draft, via, post.redelivered)?;
            Ok(posted.is_some())
        }
        None => node.post_message(&caller, &room, post.draft).map(|_| true),
    })
}
