//! Floor 0: time, chance, ids, limits, boards and what they allow. Nothing here has heard of chat.

pub mod board;
pub mod budget;
pub mod date;
pub mod id;
pub mod limits;
pub mod near;
pub mod pins;
#[cfg(feature = "plant")]
pub mod plant;
pub mod secret;
pub mod time;
pub mod world;
