//! An answer that comes later: a future without a runtime, so that the node needs to know none.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};

struct Slot<T> {
    answer: Option<T>,
    waker: Option<Waker>,
    /// The giving half is gone.
    closed: bool,
}

struct Shared<T> {
    slot: Mutex<Slot<T>>,
    given: Condvar,
}

/// The half that gives the answer.
pub struct Giver<T>(Arc<Shared<T>>);

/// The half that waits for it: a future, or [`Answer::wait`] on a thread.
pub struct Answer<T>(Arc<Shared<T>>);

/// Both halves.
pub fn reply<T>() -> (Giver<T>, Answer<T>) {
    let slot = Mutex::new(Slot { answer: None, waker: None, closed: false });
    let shared = Arc::new(Shared { slot, given: Condvar::new() });
    (Giver(shared.clone()), Answer(shared))
}

impl<T> Giver<T> {
    /// Gives the answer. Nobody may be waiting any more; then it is dropped.
    pub fn give(self, answer: T) {
        self.0.slot.lock().expect("no holder of this lock panics").answer = Some(answer);
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = self.0.slot.lock().expect("no holder of this lock panics");
            slot.closed = true;
            slot.waker.take()
        };
        self.0.given.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Answer<T> {
    /// Blocks this thread until the answer; `None` when it will never come.
    pub fn wait(self) -> Option<T> {
        let mut slot = self.0.slot.lock().expect("no holder of this lock panics");
        while slot.answer.is_none() && !slot.closed {
            slot = self.0.given.wait(slot).expect("no holder of this lock panics");
        }
        slot.answer.take()
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.slot.lock().expect("no holder of this lock panics");
        if slot.answer.is_some() || slot.closed {
            return Poll::Ready(slot.answer.take());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_arrives_or_its_absence_does() {
        let (giver, answer) = reply();
        giver.give(7);
        assert_eq!(answer.wait(), Some(7));
        let (giver, answer) = reply::<u8>();
        drop(giver);
        assert_eq!(answer.wait(), None);
    }
}
