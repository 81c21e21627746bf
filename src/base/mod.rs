//! Floor 0: time, chance, ids, limits and boards. Nothing here has heard of chat.

pub mod board;
pub mod date;
pub mod id;
pub mod limits;
pub mod near;
#[cfg(feature = "plant")]
pub mod plant;
pub mod secret;
pub mod time;
pub mod world;
