//! Who comes: the first packet of a connection, and whether its client is let in.

use super::bell::Bell;
use super::connection::{Connection, Made};
use super::doorstep::refuse;
use super::packet::{ConnAck, Connect, Decoder, In, Out, Peer, Reason, Version, Wrong};
use super::registry::{self, NotYours};
use super::scales::Load;
use super::session::Session;
use super::socket::{Lost, Scratch, Socket};
use super::unwelcome::{
    BUSY, CERTIFICATE_UNKNOWN, CLIENT_NEEDED, CLIENT_OF_GROUP, CLIENT_TAKEN, CLIENT_TOO_LONG, FULL,
    KEY_UNKNOWN, NO_KEY, NO_METHOD, STOPPING, wrong_of,
};
use super::will::{self, Will};
use super::{Broker, persistent};
use crate::base::id::{Seq, UserId, random_text};
use crate::base::limits::{
    HAND_OUTS_MAX, MQTT_ALIASES_MAX, MQTT_CONNECT_SECONDS, MQTT_RECEIVE_MAX, MQTT_SEND_MAX,
    PACKET_IN_BYTES_MAX, STALE_RETRIES_MAX, TOPIC_CLIENT_BYTES_MAX,
};
use crate::chat::publication::{Subscription, group_of};
use crate::chat::refusal::Refusal;
use crate::delivery::{Refused, TopicSeat, TopicWho};
use crate::node::caller::ANONYMOUS;
use crate::node::{Caller, Node};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// Characters of an id that is given to a client.
const CLIENT_CHARS: usize = 17;

/// Serves a connection from its first byte to its last.
pub async fn welcome(mut socket: Socket, broker: Arc<Broker>) {
    let bell = broker.doorstep.enter();
    let mut decoder = Decoder::new();
    let within = Duration::from_secs(MQTT_CONNECT_SECONDS);
    let first =
        timeout(within, poll_fn(|context| poll_first(&mut socket, &mut decoder, &bell, context))).await;
    if !broker.doorstep.leave(&bell) {
        return;
    }
    let version = decoder.version();
    match first {
        Ok(First::Connect(connect, unread)) => {
            let arrival = Arrival { socket, decoder, unread, bell, broker };
            // Boxed, so that a task that only waits is as small as it can be.
            if let Some(connection) = Box::pin(arrival.enter(*connect)).await {
                connection.run().await;
            }
        }
        Ok(First::Wrong(wrong)) => {
            tracing::debug!(from = %socket.stream().peer(), %wrong, "a client did not connect");
            refuse(socket, version.map(Peer::unknown), wrong, &broker).await;
        }
        Ok(First::Gone) | Err(_) => {}
    }
}

/// What became of the first packet.
enum First {
    Connect(Box<Connect>, Vec<u8>),
    Wrong(Wrong),
    Gone,
}

fn poll_first(
    socket: &mut Socket,
    decoder: &mut Decoder,
    bell: &Bell,
    context: &mut Context<'_>,
) -> Poll<First> {
    if bell.poll_rung(context).is_ready() {
        return Poll::Ready(First::Gone);
    }
    let mut scratch = Scratch::take();
    loop {
        let read = match socket.poll_read(context, &mut scratch) {
            Poll::Ready(Ok(read)) => read,
            Poll::Ready(Err(Lost)) => return Poll::Ready(First::Gone),
            Poll::Pending => return Poll::Pending,
        };
        let mut fresh = &scratch[..read];
        match decoder.next(&mut fresh) {
            Ok(Some(In::Connect(connect))) => {
                return Poll::Ready(First::Connect(connect, fresh.to_vec()));
            }
            Ok(Some(_)) => return Poll::Ready(First::Gone),
            Ok(None) => {}
            Err(wrong) => return Poll::Ready(First::Wrong(wrong)),
        }
    }
}

/// A client that has said who it is.
struct Arrival {
    socket: Socket,
    decoder: Decoder,
    unread: Vec<u8>,
    bell: Arc<Bell>,
    broker: Arc<Broker>,
}

/// What a client that is let in gets.
struct Opened {
    known: Known,
    place: registry::Seat,
    socket_place: OwnedSemaphorePermit,
    session: Box<Session>,
    seat: TopicSeat,
    hears: Vec<Subscription>,
    live_from: Seq,
    was_there: bool,
}

/// Who comes, for the node.
struct Known {
    caller: Caller,
    user: UserId,
}

impl Arrival {
    async fn enter(self, mut connect: Connect) -> Option<Box<Connection>> {
        let peer = Peer::of(&connect);
        let is_assigned = connect.client.is_empty();
        match self.open(&mut connect).await {
            Ok(opened) => Some(self.connected(connect, opened, is_assigned)),
            Err(wrong) => {
                let from = self.socket.stream().peer();
                let user = connect.user.as_deref().unwrap_or_default();
                tracing::info!(%from, client = ?connect.client, user = ?user, %wrong, "a client was not let in");
                refuse(self.socket, Some(peer), wrong, &self.broker).await;
                None
            }
        }
    }

    async fn open(&self, connect: &mut Connect) -> Result<Opened, Wrong> {
        if connect.authentication.is_some() {
            return Err(NO_METHOD);
        }
        let known = self.known(connect)?;
        self.name(connect)?;
        if self.broker.stopping.load(Ordering::SeqCst) {
            return Err(STOPPING);
        }
        let socket_place = self.broker.places.clone().try_acquire_owned().map_err(|_| FULL)?;
        let entered = self.broker.registry.enter(&connect.client, &known.user, &self.bell).await;
        let (place, away) = entered.map_err(|not_yours| match not_yours {
            NotYours::OtherUser => CLIENT_TAKEN,
            NotYours::Stuck => BUSY,
        })?;
        let opened = async {
            let (session, hears, was_there) = self.session(&known, connect, away).await?;
            let (seat, live_from) = self.seat(&known, &session, &hears)?;
            Ok((session, seat, hears, live_from, was_there))
        };
        match opened.await {
            Ok((session, seat, hears, live_from, was_there)) => {
                Ok(Opened { known, place, socket_place, session, seat, hears, live_from, was_there })
            }
            Err(refusal) => {
                self.broker.registry.leave(place, None);
                Err(wrong_of(&refusal))
            }
        }
    }

    /// Who it is, by what was shown.
    fn known(&self, connect: &Connect) -> Result<Known, Wrong> {
        let stream = self.socket.stream();
        let node = &self.broker.node;
        if let (None, None) = (&connect.user, &connect.password) {
            if let Some(name) = stream.client_name() {
                let (caller, user) = node
                    .read(|reading| reading.login_by_certificate(name))
                    .map_err(|_| CERTIFICATE_UNKNOWN)?;
                return Ok(Known { caller, user: user.id.clone() });
            }
            let is_let_in = self.broker.settings.anonymous && stream.is_loopback();
            return match is_let_in {
                true => Ok(Known { caller: Caller::Anonymous, user: ANONYMOUS }),
                false => Err(NO_KEY),
            };
        }
        let name = connect.user.as_deref().unwrap_or_default();
        let key = std::str::from_utf8(connect.password.as_deref().unwrap_or_default());
        let key = key.map_err(|_| KEY_UNKNOWN)?;
        match node.read(|reading| reading.device_login(name, key)) {
            Ok((caller, user)) => Ok(Known { caller, user: user.id.clone() }),
            Err(Refusal::LoginWrong) => Err(KEY_UNKNOWN),
            Err(refusal) => Err(wrong_of(&refusal)),
        }
    }

    /// Gives a client without an id one.
    fn name(&self, connect: &mut Connect) -> Result<(), Wrong> {
        if connect.client.len() > TOPIC_CLIENT_BYTES_MAX {
            return Err(CLIENT_TOO_LONG);
        }
        if group_of(&connect.client).is_some() {
            return Err(CLIENT_OF_GROUP);
        }
        if !connect.client.is_empty() {
            return Ok(());
        }
        let may_be_nameless =
            connect.version == Version::V5 || (connect.version == Version::V311 && connect.clean);
        if !may_be_nameless {
            return Err(CLIENT_NEEDED);
        }
        let text = self.broker.node.read(|reading| Ok(random_text(reading.world(), CLIENT_CHARS)));
        connect.client = text.map_err(|refusal| wrong_of(&refusal))?.into();
        Ok(())
    }

    /// The session that goes on, or a new one, with what it hears.
    async fn session(
        &self,
        known: &Known,
        connect: &Connect,
        away: Option<Box<Session>>,
    ) -> Result<(Box<Session>, Vec<Subscription>, bool), Refusal> {
        let (client, node) = (connect.client.clone(), &self.broker.node);
        let (stored, newest) =
            node.read(|reading| Ok((reading.topic_session(&client)?.is_some(), reading.newest())))?;
        let mut session = Box::new(Session::new(client.clone(), known.user.clone(), newest));
        session.window.set_max(send_max(connect));
        session.load = Load::on(&self.broker.scales, &self.bell);
        let (caller, expiry_s, clean) = (known.caller.clone(), connect.expiry_s, connect.clean);
        if expiry_s == 0 && (clean || !stored) {
            if stored {
                let close = move |node: &mut Node| node.close_topic_session(&caller, &client, Some(0));
                node.call(&known.caller, close).await?;
            }
            return Ok((session, Vec::new(), false));
        }
        let kept_s = Some(expiry_s).filter(|expiry_s| *expiry_s != u32::MAX);
        let open = move |node: &mut Node| node.open_topic_session(&caller, &client, kept_s, clean);
        let opened = match node.call(&known.caller, open).await {
            Ok(opened) => opened,
            // Whoever may keep none has one for as long as the connection lasts.
            Err(Refusal::NotAllowed(_)) => return Ok((session, Vec::new(), false)),
            Err(refusal) => return Err(refusal),
        };
        let was_there = opened.was_there;
        match away.filter(|_| was_there) {
            Some(known) => {
                session = known;
                session.load.is_back(&self.bell);
                persistent::resume(&mut session, &opened);
                session.window.set_max(send_max(connect));
            }
            None => persistent::restore(&mut session, node, &opened)?,
        }
        (session.expiry_s, session.is_stored) = (expiry_s, true);
        session.window.set_placed();
        Ok((session, opened.subscriptions, was_there))
    }

    /// Lets it hear what its session hears, as far as it still may; and from which place on it hears that as it comes.
    fn seat(
        &self,
        known: &Known,
        session: &Session,
        hears: &[Subscription],
    ) -> Result<(TopicSeat, Seq), Refusal> {
        let (hub, client) = (&self.broker.node.hub, session.client.clone());
        let mut tried = 0;
        let (seat, mut live_from) = loop {
            tried += 1;
            let (as_of, actor) =
                self.broker.node.read(|reading| Ok((reading.newest(), reading.actor(&known.caller)?)))?;
            let token = if let Caller::Token(hash) = &known.caller { Some(*hash) } else { None };
            let who = TopicWho {
                actor,
                token,
                by_certificate: matches!(known.caller, Caller::Certificate(_)),
                client: client.clone(),
                is_persistent: session.is_stored,
            };
            match hub.take_topic_seat(who, as_of) {
                Ok(seat) => break (seat, as_of),
                Err(Refused::Stale) if tried < STALE_RETRIES_MAX => {}
                Err(_) => return Err(Refusal::Busy),
            }
        };
        for subscription in hears {
            let allowed = self.broker.listen(&known.caller, &seat, subscription);
            match allowed {
                Ok((_, _, as_of)) => live_from = live_from.max(as_of),
                Err(refusal) => {
                    let filter = &subscription.filter;
                    tracing::info!(?client, %filter, ?refusal, "a session hears a filter no longer");
                }
            }
        }
        hub.unpark(&client);
        Ok((seat, live_from))
    }

    fn connected(self, mut connect: Connect, opened: Opened, is_assigned: bool) -> Box<Connection> {
        let Opened { known, place, socket_place, mut session, seat, hears, live_from, was_there } = opened;
        let Arrival { socket, decoder, unread, bell, broker } = self;
        let keep_alive_s = keep_alive_told(&connect, broker.settings.keep_alive_max_s);
        connect.keep_alive_s = keep_alive_s.unwrap_or(connect.keep_alive_s);
        let will =
            connect.will.clone().map(|will| Will::of(will, &known.caller, &known.user, &session.client));
        // Whoever is back has not died; a session that is not taken up again has.
        let waited = broker.wills.take(&session.client);
        waited.filter(|_| !was_there).into_iter().for_each(|will| will::publish_now(&broker, will));
        let expiry_s = (session.expiry_s != connect.expiry_s).then_some(session.expiry_s);
        let client = is_assigned.then(|| session.client.clone());
        let (caller, count) = (known.caller, broker.registry.count());
        broker.counts.clients_max.reach(count as u64);
        if !was_there {
            session.told = live_from;
        }
        let made = Made {
            broker,
            socket,
            decoder,
            unread,
            bell,
            place,
            socket_place,
            caller,
            session,
            seat,
            hears,
            live_from,
            will,
        };
        let mut connection = Connection::new(made, &connect, connect.aliases_max.min(MQTT_ALIASES_MAX));
        connection.put(&Out::ConnAck(ConnAck {
            present: was_there,
            reason: Reason::SUCCESS,
            words: None,
            client: client.as_deref(),
            expiry_s,
            keep_alive_s,
            receive_max: Some(MQTT_RECEIVE_MAX),
            packet_bytes_max: Some(PACKET_IN_BYTES_MAX as u32),
            aliases_max: MQTT_ALIASES_MAX,
        }));
        connection.keep_will();
        connection.reclaim_shared();
        connection.session.window.begin_again();
        connection.resend();
        connection.follow_rooms_again(was_there);
        connection
    }
}

/// The keep-alive that a client has to have in place of its own; those before 5.0 cannot be told of any.
fn keep_alive_told(connect: &Connect, max_s: u16) -> Option<u16> {
    let is_longer = connect.keep_alive_s == 0 || connect.keep_alive_s > max_s;
    (connect.version == Version::V5 && max_s > 0 && is_longer).then_some(max_s)
}

/// How many publications may be on their way to a client: those before 5.0 cannot say.
fn send_max(connect: &Connect) -> u16 {
    match connect.version {
        Version::V5 => connect.receive_max.min(HAND_OUTS_MAX as u16),
        Version::V31 | Version::V311 => MQTT_SEND_MAX,
    }
}
