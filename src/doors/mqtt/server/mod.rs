//! The broker's door: clients of MQTT connect to us, say things in rooms and tell each other what they publish.
//!
//! A connection is one task over one socket. It wakes when its client says something, when the disk has what it was
//! given, or when there is something to tell; it does all of it and writes once.

mod answers;
mod bell;
mod bound;
mod connect;
mod connection;
mod doorstep;
pub mod draft;
mod inbound;
mod outbound;
mod own;
pub mod packet;
mod persistent;
mod registry;
mod rooms;
mod scales;
mod session;
mod shares;
mod socket;
mod subscribe;
mod sys;
mod trial;
mod unwelcome;
mod will;
mod words;

pub use bound::Bindings;
pub use trial::trier;

use crate::base::id::Seq;
use crate::base::limits::{STALE_RETRIES_MAX, STOP_SECONDS_MAX, TRIES_MAX};
use crate::chat::policy::MayPublish;
use crate::chat::publication::{Publication, group_of};
use crate::chat::refusal::Refusal;
use crate::delivery::Refused;
use crate::doors::mqtt::home_assistant::Discovery;
use crate::doors::reach::{Clients, Stream, Take, Tls};
use crate::node::{NodeHandle, Reading};
use doorstep::Doorstep;
use own::Own;
use registry::Registry;
use scales::Scales;
use socket::Socket;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use sys::Counts;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use will::Wills;

/// What the operator says of this door.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether those on this machine may come without a key.
    pub anonymous: bool,
    /// Seconds between two tellings of the figures; 0 tells none.
    pub sys_interval_s: u32,
    /// Seconds of the longest keep-alive of those who can be told of it; 0 for any.
    pub keep_alive_max_s: u16,
    /// The program's version.
    pub version: &'static str,
    /// Connections at one time.
    pub sockets_max: usize,
}

/// What all connections share.
pub struct Broker {
    node: NodeHandle,
    settings: Settings,
    doorstep: Doorstep,
    places: Arc<Semaphore>,
    registry: Registry,
    /// Nobody is let in any more.
    stopping: AtomicBool,
    wills: Wills,
    counts: Counts,
    bindings: Bindings,
    own: Own,
    /// What Home Assistant's topics begin with, and how the node is called there.
    finding: Option<(String, String)>,
    /// Looks at topics that go on.
    tries: Semaphore,
    scales: Arc<Scales>,
}

impl Broker {
    /// A broker nobody is connected to.
    pub fn new(node: NodeHandle, settings: Settings) -> Self {
        node.ask_devices(answers::worded);
        Self {
            scales: Scales::of(node.budget.memory),
            node,
            settings,
            doorstep: Doorstep::default(),
            places: Arc::new(Semaphore::new(settings.sockets_max)),
            registry: Registry::default(),
            stopping: AtomicBool::new(false),
            wills: Wills::default(),
            counts: Counts::default(),
            bindings: Bindings::default(),
            own: Own::default(),
            finding: None,
            tries: Semaphore::new(TRIES_MAX),
        }
    }

    /// The same, with topics that are said in rooms.
    pub fn with(self, bindings: Bindings) -> Self {
        Self { bindings, ..self }
    }

    /// Has Home Assistant find the node by this name, under topics that begin so.
    pub fn found_under(self, prefix: &str, name: &str) -> Self {
        Self { finding: Some((prefix.to_owned(), name.to_owned())), ..self }
    }
}

impl Broker {
    /// Knows what the sessions hear that nobody is connected to.
    fn know_sessions(&self) -> Result<(), Refusal> {
        self.node.read(|reading| {
            for session in reading.topic_sessions()? {
                let hears = reading.topic_subscriptions(&session.client)?;
                if let (Some((share, _)), Some(one)) = (group_of(&session.client), hears.first()) {
                    self.node.hub.keep_group(&share.into(), &one.filter, session.heard);
                    continue;
                }
                self.node.hub.park(session.client, session.user, &hears);
            }
            Ok(())
        })
    }

    /// From here on Home Assistant finds the node, which has its number by now.
    fn let_find(&self) {
        let number = self.node.read(|reading| reading.node_number());
        if let (Some((prefix, name)), Ok(node)) = (self.finding.clone(), number) {
            let (base, version) = ("linnet".to_owned(), self.settings.version);
            // A broker is served once.
            let _ = self.own.discovery.set(Discovery { prefix, base, is_own: true, node, name, version });
        }
    }

    /// The newest place in the order that is on the disk.
    fn newest(&self) -> Seq {
        self.node.read(|reading| Ok(reading.newest())).unwrap_or_default()
    }

    /// Milliseconds since the node started.
    fn now_ms(&self) -> u64 {
        self.node.read(|reading| Ok(reading.world().mono_ms())).unwrap_or_default()
    }

    /// Has those who are connected hear what somebody without a connection publishes, if they may.
    fn publish_live(
        &self,
        publication: &Arc<Publication>,
        may: impl Fn(&Reading) -> Result<(MayPublish, Seq), Refusal>,
    ) -> Result<(), Refusal> {
        for _ in 0..STALE_RETRIES_MAX {
            let (permit, as_of) = self.node.read(&may)?;
            match self.node.hub.publish(&permit, as_of, publication, self.now_ms()) {
                Ok(_) => return Ok(()),
                Err(Refused::Stale) => {}
                Err(_) => return Err(Refusal::TokenUnknown),
            }
        }
        Err(Refusal::Busy)
    }
}

/// What serves a stream that came through another door.
pub fn take(broker: Arc<Broker>) -> Take {
    Arc::new(move |stream| {
        let broker = broker.clone();
        Box::pin(async move { connect::welcome(Socket::new(stream), broker).await })
    })
}

/// A port, and the certificate that is shown there.
pub type Port = (TcpListener, Option<Arc<Tls>>);

/// Serves until `shutdown` is done, then sees the clients off. Without a port, those who come through other doors.
pub async fn serve(ports: Vec<Port>, broker: Arc<Broker>, shutdown: impl Future<Output = ()>) {
    if let Err(refusal) = broker.know_sessions() {
        tracing::error!(?refusal, "what sessions hear is not known: what is published is not kept for them");
    }
    broker.bindings.set_up(&broker.node).await;
    sys::count_retained(&broker).await;
    broker.let_find();
    let mut aside = vec![
        tokio::spawn(will::publish_due(broker.clone())),
        tokio::spawn(sys::tell(broker.clone())),
        tokio::spawn(own::tell(broker.clone())),
        tokio::spawn(bound::say_due(broker.clone())),
    ];
    aside.extend(ports.into_iter().map(|port| tokio::spawn(accept(port, broker.clone()))));
    shutdown.await;
    aside.iter().for_each(JoinHandle::abort);
    broker.say_farewell();
    broker.doorstep.stop();
    broker.registry.stop();
    // All places are free when every connection has ended.
    let all = broker.places.acquire_many(broker.settings.sockets_max as u32);
    let _ = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), all).await;
}

async fn accept((listener, tls): Port, broker: Arc<Broker>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (broker, tls) = (broker.clone(), tls.clone());
                tokio::spawn(async move {
                    let stream = match tls {
                        Some(tls) => tls.accept(stream, peer, Clients::MayShow).await,
                        None => Ok(Stream::plain(stream, peer)),
                    };
                    match stream {
                        Ok(stream) => connect::welcome(Socket::new(stream), broker).await,
                        Err(error) => tracing::debug!(%peer, %error, "a handshake came to nothing"),
                    }
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would only keep the core busy.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
