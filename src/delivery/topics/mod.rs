//! Who listens to topics, and how publications reach them.
//!
//! Unlike a listener of rooms, a seat has a queue: most publications are never stored, and those for it are found once,
//! by the [tree] of all filters. The queue is bounded. What does not fit is dropped and counted when it was live;
//! when it was kept, the seat falls behind, and its door reads the store. Rights are followed in the order of the journal,
//! as everywhere: nothing after their end is put in.

mod debt;
mod deliver;
mod groups;
mod hub;
mod parked;
mod places;
mod queue;
mod rights;
mod seat;
mod sheet;
mod sitter;
mod tree;

pub(super) use places::Places;
pub use seat::{GroupBehind, GroupHeard, Reached, TopicDrained, TopicSeat, TopicWho, TopicsCounts};
pub use sheet::{Ids, Parcel, Sheet};
