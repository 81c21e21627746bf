//! Inbound bridges: a topic filter at a broker becomes messages of a room.

pub mod rule;
pub mod template;
