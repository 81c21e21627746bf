//! The realtime door, over real sockets.

mod client;
mod hard;
mod methods;
mod stories;
mod streams;
mod time;
