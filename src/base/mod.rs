//! Floor 0: time, chance, ids and limits. Nothing here has heard of chat.

pub mod id;
pub mod limits;
pub mod time;
pub mod world;
