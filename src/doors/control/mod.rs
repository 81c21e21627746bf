//! The command line's local socket: JSON lines between `linnet` commands and a running node.

pub mod answer;
pub mod check;
pub mod client;
mod devices;
pub mod import;
pub mod server;
pub mod stream;
mod trial;
pub mod vitals;
pub mod wire;
mod words;
