//! The realtime door: DDP over WebSocket, as Rocket.Chat's clients and bots speak it.
//!
//! A session is one task over one plain socket. It wakes when its listener has news, drains it, puts the frames that
//! all sessions share behind each other, and writes once. What a client calls goes to the node in the client's name.

mod derived;
mod flight;
pub mod frame;
pub mod message;
pub mod method;
mod session;
mod signal;
mod socket;
mod standing;
mod stream;
mod subscriptions;
mod tell;

pub use frame::Framing;

use crate::doors::http::Upgraded;
use session::Session;

/// Serves one client until either side has enough.
pub async fn run(upgraded: Upgraded, framing: Framing) {
    let Ok(_place) = upgraded.site.sessions.clone().try_acquire_owned() else {
        tracing::warn!("all realtime sessions are taken: a client was turned away");
        return;
    };
    let caller = upgraded.caller.clone();
    // Both boxed, so that a task that only waits is as small as it can be.
    let mut session = Box::new(Session::new(upgraded, framing));
    let end = session.live(caller).await;
    Box::pin(session.close(end)).await;
}
