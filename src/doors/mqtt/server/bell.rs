//! How others tell a connection that its time is over.

use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// Why a connection has to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ring {
    /// The same client came by another connection.
    TakenOver,
    /// The node stops.
    Stopping,
    /// Others wait to say who they are.
    MakeRoom,
    /// The memory is needed for others.
    TooHeavy,
}

#[derive(Default)]
struct Rope {
    rung: Option<Ring>,
    waker: Option<Waker>,
}

/// One connection's bell.
#[derive(Default)]
pub struct Bell(Mutex<Rope>);

impl Bell {
    /// Tells the connection to go; the first reason stays.
    pub fn ring(&self, why: Ring) {
        let waker = {
            let mut rope = self.rope();
            rope.rung.get_or_insert(why);
            rope.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ready once it was rung.
    pub fn poll_rung(&self, context: &Context<'_>) -> Poll<Ring> {
        let mut rope = self.rope();
        if let Some(why) = rope.rung {
            return Poll::Ready(why);
        }
        let known = rope.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        let replaced = if known { None } else { rope.waker.replace(context.waker().clone()) };
        drop(rope);
        drop(replaced);
        Poll::Pending
    }

    fn rope(&self) -> MutexGuard<'_, Rope> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
