//! Floor 1: the nouns of chat and what may be done with them. Pure data: no I/O, no clock, no wire.

pub mod change;
pub mod device;
pub mod invitation;
pub mod membership;
pub mod message;
pub mod name;
pub mod permission;
pub mod policy;
pub mod publication;
pub mod question;
pub mod refusal;
pub mod room;
pub mod token;
pub mod topic;
pub mod user;
