//! Who hears what, in which order, and when it stops.

mod lives;
mod model;
mod stage;
mod stories;
mod topics;
