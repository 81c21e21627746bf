//! Signals: typing, presence and the like. They are never stored, wait in bounded rings, and may be lost.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{SIGNAL_BYTES_MAX, SIGNALS_WAITING_MAX};
use std::sync::Arc;

/// Where a signal is heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// By those who follow a room.
    Room(RoomId),
    /// By those who follow presence.
    Presence,
}

/// What a signal says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignalKind {
    /// Someone began or stopped typing.
    Typing(bool),
    /// Someone's first listener came or their last one went.
    Online(bool),
    /// Something only the doors understand; see [`SignalKind::other`].
    Other(Box<[u8]>),
}

impl SignalKind {
    /// A signal of bytes that are only passed on, at most [`SIGNAL_BYTES_MAX`].
    pub fn other(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= SIGNAL_BYTES_MAX).then(|| Self::Other(bytes.into()))
    }

    pub(super) fn is_bounded(&self) -> bool {
        !matches!(self, Self::Other(bytes) if bytes.len() > SIGNAL_BYTES_MAX)
    }
}

/// Something worth knowing only now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Where it is heard.
    pub place: Place,
    /// Who it comes from.
    pub by: UserId,
    /// What it says.
    pub kind: SignalKind,
}

/// The signals that wait for one listener: the newest few, and how many were lost before them.
#[derive(Default)]
pub(super) struct Waiting {
    ring: heapless::Deque<Arc<Signal>, SIGNALS_WAITING_MAX>,
    missed: u32,
}

impl Waiting {
    pub fn push(&mut self, signal: &Arc<Signal>) {
        if self.ring.is_full() {
            self.ring.pop_front();
            self.missed = self.missed.saturating_add(1);
        }
        let pushed = self.ring.push_back(Arc::clone(signal));
        debug_assert!(pushed.is_ok(), "the oldest made room");
    }

    pub fn pop(&mut self) -> Option<Arc<Signal>> {
        self.ring.pop_front()
    }

    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    pub fn clear(&mut self) {
        self.ring.clear();
    }

    /// How many were lost since this was last asked.
    pub fn take_missed(&mut self) -> u32 {
        std::mem::take(&mut self.missed)
    }
}
