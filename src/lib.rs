//! linnet: a chat node for things and people.

pub mod base;
pub mod chat;
pub mod store;
pub mod delivery;
pub mod cli;
pub mod config;
pub mod doors;
