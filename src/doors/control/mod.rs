//! The command line's local socket: JSON lines between `linnet` commands and a running node.

pub mod client;
pub mod wire;
