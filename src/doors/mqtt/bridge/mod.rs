//! Bridges: a topic filter at a broker becomes messages of a room, and what people say there goes to the broker.
//!
//! A publication is acknowledged to the broker only when its message is on the disk, so what the broker promised to keep
//! (QoS 1, its own persistence, a session that survives the connection) is lost by a restart of neither side. What comes
//! again with DUP, the same packet id and the same bytes is not posted twice: the node keeps the newest deliveries of
//! each bridge with their messages, as many as a broker may send before it has seen one of them acknowledged
//! ([`DELIVERIES_REMEMBERED`](crate::base::limits::DELIVERIES_REMEMBERED)). Where fewer acknowledgements are on their
//! way than that, it does not matter which of them a broken connection swallows. A broker that gives out packet ids anew while it keeps the session could make a
//! repeat of the same words look like such a redelivery; those that count on, as Mosquitto does, cannot.
//!
//! Retained publications are passed over. A broker sends them again at every subscription, as the state of things and not
//! as news, so they would be posted again at each start and each reconnect. What is published with the retain flag while
//! the bridge listens arrives without it and is posted.
//!
//! On the way out [`sending`] follows the room by a place that the node keeps, and moves it when the broker has
//! acknowledged; [`guard`] keeps messages from going round. A power cut may send some again, which a linnet on the other
//! side takes once.

mod arrival;
pub mod broker;
mod dial;
mod fault;
mod finding;
pub(in crate::doors::mqtt) mod guard;
pub mod rule;
pub mod saying;
pub mod search;
mod sending;
mod session;
pub mod status;
mod waits;
mod websocket;
mod wire;

use crate::base::id::{RoomId, UserId};
use crate::base::limits::BRIDGE_STOP_MS;
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::doors::mqtt::binding::Memory;
use crate::node::{Caller, NodeHandle};
use fault::Fault;
use guard::Guard;
pub(in crate::doors::mqtt) use guard::digest;
use rule::BridgeRule;
use status::Status;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use waits::Waits;

/// A bridge at work.
struct Bridge {
    rule: BridgeRule,
    node: NodeHandle,
    status: Arc<Status>,
    /// Whom it speaks as.
    user: UserId,
    /// Where it speaks.
    room: RoomId,
    guard: Guard,
    /// What its binding said last.
    memory: Mutex<Memory>,
    /// The last message that was sent in this process: what is not behind it was sent before.
    sent: AtomicU64,
}

impl Bridge {
    fn caller(&self) -> Caller {
        Caller::Bridge(self.user.clone())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no holder of this lock panics")
    }

    /// Bytes that nobody can foretell.
    fn chance(&self) -> [u8; 32] {
        let mut chance = [0; 32];
        let filled = self.node.read(|reading| {
            reading.world().fill(&mut chance);
            Ok(())
        });
        filled.map_or([0; 32], |()| chance)
    }
}

/// Keeps a bridge connected until `shutdown`; then lets what has arrived reach the disk, acknowledges it and leaves.
pub async fn run(
    rule: BridgeRule,
    node: NodeHandle,
    status: Arc<Status>,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(false);
    let found = finding::keep_found(rule.clone(), node.clone(), stopping.clone());
    let work = async { tokio::join!(keep_connected(rule, node, status, stopping), found) };
    let mut work = pin!(work);
    tokio::select! {
        _ = &mut work => return,
        () = shutdown => {}
    }
    // The receivers live in `work`.
    let _ = stop.send(true);
    if timeout(Duration::from_millis(BRIDGE_STOP_MS), work).await.is_err() {
        tracing::warn!(
            "a bridge could not leave in time: its broker will send again what was not acknowledged"
        );
    }
}

async fn keep_connected(
    rule: BridgeRule,
    node: NodeHandle,
    status: Arc<Status>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut waits = Waits::new(node.clone());
    let (user, room, number) = loop {
        match find_place(&node, &rule).await {
            Ok(place) => break place,
            Err(refusal) => {
                status.failed(&format!("no place to post: {refusal:?}"));
                tracing::error!(bridge = rule.name, ?refusal, "the bridge finds no place to post");
            }
        }
        if waited(&mut waits, &mut stopping).await.is_stopping() {
            return;
        }
    };
    let (guard, sent) = (Guard::new(number), AtomicU64::new(0));
    let memory = Mutex::default();
    let bridge = Bridge { rule, node, status, user, room, guard, memory, sent };
    loop {
        waits.began();
        match session::run(&bridge, stopping.clone()).await {
            Ok(()) => return bridge.status.left(),
            Err(fault) => bridge.tell(&fault),
        }
        if waited(&mut waits, &mut stopping).await.is_stopping() {
            return;
        }
    }
}

/// The bot user and the room of a rule, made where they are missing; and the node's number.
async fn find_place(node: &NodeHandle, rule: &BridgeRule) -> Result<(UserId, RoomId, u64), Refusal> {
    let (name, room) = (Name::parse(&rule.name)?, rule.room.clone());
    let (user, room) = node.call(&Caller::Operator, move |node| node.set_up_bridge(&name, &room)).await?;
    Ok((user, room, node.read(|reading| reading.node_number())?))
}

impl Bridge {
    /// Says what went wrong, once for as long as it stays the same: a broker may be away for days.
    fn tell(&self, fault: &Fault) {
        let words = fault.words(&self.rule);
        if self.status.failed(&words) {
            tracing::warn!(bridge = self.rule.name, "{words}");
        } else {
            tracing::debug!(bridge = self.rule.name, "{words}");
        }
    }
}

#[derive(PartialEq, Eq)]
enum After {
    Waited,
    Stopping,
}

impl After {
    fn is_stopping(&self) -> bool {
        *self == After::Stopping
    }
}

async fn waited(waits: &mut Waits, stopping: &mut watch::Receiver<bool>) -> After {
    tokio::select! {
        () = sleep(waits.next()) => After::Waited,
        () = stopped(stopping) => After::Stopping,
    }
}

/// Ends when the bridge has to stop.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without its sender nobody could say stop any more, which says it.
    let _ = stopping.wait_for(|stop| *stop).await;
}
