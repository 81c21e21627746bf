//! Floor 2: who listens, and how far each has read. Nothing here knows a protocol, a socket or the store.
//!
//! A listener is a cursor, not a queue: a slow reader costs a number. What is settled enters the [`tail`](Hub::settle);
//! one [relay](Hub::relay) marks and wakes those who should hear of it; each then [drains](Listener::drain) at its own
//! pace. Every right is followed in the order of the journal: nothing after its end is yielded, even of the same group.

mod cursor;
mod follows;
mod frames;
mod hub;
mod listener;
mod live;
mod rights;
mod seats;
mod tail;
mod topics;

pub use frames::Frames;
pub use hub::{Bounds, Hub};
pub use listener::{Drained, Event, Listener, Reach, Refused, Who};
pub use live::{Place, Signal, SignalKind};
pub use rights::Ended;
pub use topics::{
    GroupBehind, GroupHeard, Ids, Parcel, Reached, Sheet, TopicDrained, TopicSeat, TopicWho, TopicsCounts,
};
