//! linnet: a chat node for things and people.

pub mod base;
pub mod chat;
pub mod cli;
pub mod config;
pub mod delivery;
pub mod doors;
pub mod node;
pub mod store;
