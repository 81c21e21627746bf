//! Floor 2: bytes that survive. Nothing here knows who may do what, or who is listening.

pub mod backup;
pub mod disk;
pub mod error;
pub mod index;
pub mod journal;
pub mod keys;
pub mod lost;
pub mod record;
pub mod rescue;
