//! One client's session: one task, one socket, one listener. It wakes, takes in, tells, writes once, and waits again.

use super::flight::{Flight, Kind, Landed};
use super::frame::Framing;
use super::message::{self, Said, VERSIONS};
use super::method::{self, MethodCall};
use super::socket::{End, Socket};
use super::subscriptions::Subscriptions;
use crate::base::id::random_text;
use crate::base::limits::{
    DDP_LOOK_SECONDS, DDP_MESSAGE_BYTES_MAX, DDP_MESSAGES_WAITING_MAX, DDP_METHODS_MAX,
    DDP_STRANGER_BYTES_MAX,
};
use crate::chat::refusal::Refusal;
use crate::chat::user::User;
use crate::delivery::Listener;
use crate::doors::http::{Site, Upgraded};
use crate::doors::reach::frame::{Goodbye, Received, put_pong};
use crate::node::{Caller, NodeHandle};
use serde_json::Value;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Interval, interval_at};

const GARBAGE: Goodbye = Goodbye { code: 1007, reason: "not what SockJS sends" };
const FULL: Goodbye = Goodbye { code: 1013, reason: "too many sessions" };
const FLOOD: Goodbye = Goodbye { code: 1008, reason: "too many messages at once" };

/// Who has logged in, and their ear.
pub(super) struct Member {
    pub caller: Caller,
    pub user: Arc<User>,
    pub listener: Listener,
}

/// One client.
pub(super) struct Session {
    pub socket: Socket,
    pub site: Arc<Site>,
    pub node: NodeHandle,
    pub member: Option<Member>,
    pub subscriptions: Subscriptions,
    pub connected: bool,
    flights: Vec<Flight>,
    /// Understood, and waiting until what was said before is done.
    waiting: VecDeque<Said>,
    peer: SocketAddr,
    look: Interval,
    pub looks: u8,
    pub silent_looks: u8,
}

/// What there is to do.
#[derive(Default)]
struct Woken {
    landed: Vec<Landed>,
    events: bool,
    look: bool,
}

impl Session {
    pub fn new(upgraded: Upgraded, framing: Framing) -> Self {
        let Upgraded { stream, leftover, site, caller: _ } = upgraded;
        let peer = stream.peer();
        let every = Duration::from_secs(DDP_LOOK_SECONDS);
        let node = site.node.clone();
        Self {
            socket: Socket::new(stream, &leftover, framing),
            site,
            node,
            member: None,
            subscriptions: Subscriptions::default(),
            connected: false,
            flights: Vec::new(),
            waiting: VecDeque::new(),
            peer,
            look: interval_at(Instant::now() + every, every),
            looks: 0,
            silent_looks: 0,
        }
    }

    /// Lives until either side has enough.
    pub async fn live(&mut self, caller: Option<Caller>) -> End {
        if let Err(goodbye) = self.open(caller) {
            return goodbye.into();
        }
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Sees the client off. Nothing more is heard for it.
    pub async fn close(self, end: End) {
        let Session { socket, member, flights, .. } = self;
        drop((member, flights));
        if let End::Goodbye(goodbye) = end {
            tracing::debug!(code = goodbye.code, reason = goodbye.reason, "a session ends");
            socket.close(goodbye).await;
        }
    }

    fn open(&mut self, caller: Option<Caller>) -> Result<(), Goodbye> {
        let framing = self.socket.framing;
        framing.put_opening(self.socket.out());
        match caller.map(|caller| self.enter(caller)) {
            Some(Err(Refusal::Busy)) => Err(FULL),
            // A cookie that ended on the way is as good as none.
            Some(Ok(()) | Err(_)) | None => Ok(()),
        }
    }

    async fn turn(&mut self) -> Result<(), End> {
        // What came with the handshake is there before anything wakes.
        self.take_input()?;
        self.socket.flush().await?;
        let woken = poll_fn(|context| self.poll_woken(context)).await?;
        if woken.look {
            self.look()?;
        }
        for landed in woken.landed {
            self.answer(landed)?;
        }
        self.take_input()?;
        if woken.events {
            self.tell().await?;
        }
        self.socket.flush().await
    }

    fn poll_woken(&mut self, context: &mut Context<'_>) -> Poll<Result<Woken, End>> {
        let mut woken = Woken::default();
        let mut at = 0;
        while let Some(flight) = self.flights.get_mut(at) {
            match flight.poll(context) {
                Poll::Ready(result) => {
                    let flight = self.flights.remove(at);
                    woken.landed.push(Landed { id: flight.id, kind: flight.kind, result });
                }
                Poll::Pending => at += 1,
            }
        }
        if let Some(member) = &mut self.member {
            woken.events = member.listener.poll_ready(context).is_ready();
        }
        woken.look = self.look.poll_tick(context).is_ready();
        let mut heard = false;
        // Whoever has enough in flight is not read from: the rest waits in their own machine.
        if self.waiting.is_empty() && self.flights.len() < DDP_METHODS_MAX {
            match self.socket.poll_read(context) {
                Poll::Ready(Ok(())) => heard = true,
                Poll::Ready(Err(end)) => return Poll::Ready(Err(end)),
                Poll::Pending => {}
            }
        }
        if heard {
            self.silent_looks = 0;
        }
        let idle = woken.landed.is_empty() && !woken.events && !woken.look && !heard;
        if idle { Poll::Pending } else { Poll::Ready(Ok(woken)) }
    }

    /// Takes what the client sent, as far as it may be begun now.
    fn take_input(&mut self) -> Result<(), End> {
        loop {
            while let Some(said) = self.waiting.pop_front() {
                if !self.may_begin(&said) {
                    self.waiting.push_front(said);
                    return Ok(());
                }
                self.on_said(said)?;
            }
            let bytes_max = match self.member {
                Some(_) => DDP_MESSAGE_BYTES_MAX,
                None => DDP_STRANGER_BYTES_MAX,
            };
            match self.socket.take(bytes_max)? {
                None => return Ok(()),
                Some(Received::Text(text)) => self.take_text(text)?,
                Some(Received::Binary(_)) => return Err(Goodbye::BINARY.into()),
                Some(Received::Ping(payload)) => put_pong(self.socket.out(), &payload),
                Some(Received::Pong) => {}
                Some(Received::Close) => return Err(Goodbye::DONE.into()),
            }
        }
    }

    fn take_text(&mut self, text: String) -> Result<(), End> {
        for text in self.socket.framing.messages(text).ok_or(GARBAGE)? {
            if self.waiting.len() >= DDP_MESSAGES_WAITING_MAX {
                return Err(FLOOD.into());
            }
            match Said::parse(&text) {
                Ok(said) => self.waiting.push_back(said),
                Err(why) => self.socket.put(&message::error(why, &text)),
            }
        }
        Ok(())
    }

    /// Writes of one client overlap, in their order; everything else waits for those before it, as in Meteor.
    fn may_begin(&self, said: &Said) -> bool {
        match said {
            Said::Method { method, .. } if method::is_write(method) => {
                self.flights.len() < DDP_METHODS_MAX
                    && self.flights.iter().all(|flight| flight.kind == Kind::Plain)
            }
            Said::Method { .. } | Said::Sub { .. } | Said::Unsub { .. } => self.flights.is_empty(),
            Said::Connect { .. } | Said::Ping { .. } | Said::Pong => true,
        }
    }

    fn on_said(&mut self, said: Said) -> Result<(), End> {
        match said {
            Said::Connect { version, support } => return self.on_connect(&version, &support),
            Said::Ping { id } => self.socket.put(&message::pong(id.as_deref())),
            Said::Pong => {}
            _ if !self.connected => self.socket.put(&message::error("Must connect first", "")),
            Said::Method { id, method, params } => return self.on_method(id, &method, params),
            Said::Sub { id, name, params } => self.subscribe(&id, &name, &params),
            Said::Unsub { id } => self.unsubscribe(&id),
        }
        Ok(())
    }

    fn on_connect(&mut self, version: &str, support: &[String]) -> Result<(), End> {
        if self.connected {
            self.socket.put(&message::error("Already connected", ""));
            return Ok(());
        }
        if !VERSIONS.contains(&version) && !support.iter().any(|other| VERSIONS.contains(&other.as_str())) {
            self.socket.put(&message::failed());
            return Err(Goodbye::DONE.into());
        }
        self.connected = true;
        let session = self.node.read(|reading| Ok(random_text(reading.world(), SESSION_CHARS)));
        self.socket.put(&message::connected(&session.unwrap_or_default()));
        self.show_user();
        Ok(())
    }

    fn on_method(&mut self, id: String, name: &str, params: Vec<Value>) -> Result<(), End> {
        let caller = self.member.as_ref().map(|member| member.caller.clone());
        let kind = match name {
            "login" => Kind::Login,
            "logout" => Kind::Logout,
            _ => Kind::Plain,
        };
        let call = MethodCall { site: self.site.clone(), caller, peer: self.peer, params };
        if kind == Kind::Logout {
            // Or the end of the token would end the session as well.
            self.leave();
        }
        let mut flight = Flight { id, kind, future: Box::pin(method::call(call, name.to_owned())) };
        // Begun here and now, so that calls reach the node in the order they were made.
        match flight.poll_once() {
            Some(result) => self.answer(Landed { id: flight.id, kind, result }),
            None => {
                self.flights.push(flight);
                Ok(())
            }
        }
    }
}

/// Characters of a session's id, as Meteor has them.
const SESSION_CHARS: usize = 17;
