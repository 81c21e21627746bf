//! Bytes that survive. Nothing here knows who may do what, or who is listening.

pub mod disk;
pub mod error;
pub mod journal;
pub mod record;
