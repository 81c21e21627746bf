//! Connections that have not said who they are. They are few, and the oldest makes room: a flood of them keeps nobody out.

use super::Broker;
use super::bell::{Bell, Ring};
use super::packet::{ConnAck, Out, Peer, Wrong, encode};
use super::socket::Socket;
use crate::base::limits::MQTT_HALF_CONNECTS_MAX;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

/// Those who stand at the door, oldest first.
#[derive(Default)]
pub struct Doorstep(Mutex<VecDeque<Arc<Bell>>>);

impl Doorstep {
    /// Another one; the oldest goes when there are too many.
    pub fn enter(&self) -> Arc<Bell> {
        let bell = Arc::new(Bell::default());
        let oldest = {
            let mut standing = self.0.lock().expect("no holder of this lock panics");
            let oldest = if standing.len() >= MQTT_HALF_CONNECTS_MAX { standing.pop_front() } else { None };
            standing.push_back(bell.clone());
            oldest
        };
        if let Some(oldest) = oldest {
            oldest.ring(Ring::MakeRoom);
        }
        bell
    }

    /// This one came in, or left; false when it was told to make room meanwhile.
    pub fn leave(&self, bell: &Arc<Bell>) -> bool {
        let mut standing = self.0.lock().expect("no holder of this lock panics");
        let at = standing.iter().position(|other| Arc::ptr_eq(other, bell));
        at.and_then(|at| standing.remove(at)).is_some()
    }

    /// Everybody goes.
    pub fn stop(&self) {
        let standing = std::mem::take(&mut *self.0.lock().expect("no holder of this lock panics"));
        standing.iter().for_each(|bell| bell.ring(Ring::Stopping));
    }
}

/// Tells a client why it is not let in. One whose version is not known hears nothing. Until it has heard it stands among
/// those at the door, where a flood keeps nobody out.
pub(super) async fn refuse(mut socket: Socket, peer: Option<Peer>, wrong: Wrong, broker: &Broker) {
    let Some(peer) = peer else { return };
    let answer = Out::ConnAck(ConnAck::refused(wrong.reason, Some(wrong.words)));
    if encode(&peer, &answer, socket.out()) {
        let bell = broker.doorstep.enter();
        tokio::select! {
            () = socket.shutdown() => {}
            _ = poll_fn(|context| bell.poll_rung(context)) => {}
        }
        broker.doorstep.leave(&bell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn the_oldest_makes_room() {
        let doorstep = Doorstep::default();
        let first = doorstep.enter();
        let second = doorstep.enter();
        for _ in 2..MQTT_HALF_CONNECTS_MAX {
            doorstep.enter();
        }
        let context = Context::from_waker(Waker::noop());
        assert_eq!(first.poll_rung(&context), Poll::Pending);
        let last = doorstep.enter();
        assert_eq!(first.poll_rung(&context), Poll::Ready(Ring::MakeRoom));
        assert_eq!(second.poll_rung(&context), Poll::Pending);
        assert!(!doorstep.leave(&first) && doorstep.leave(&second) && doorstep.leave(&last));
    }
}
