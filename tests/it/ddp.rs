//! The realtime door, over real sockets.

pub mod client;
mod hard;
mod methods;
mod stories;
mod streams;
mod time;
