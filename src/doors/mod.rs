//! Floor 4: protocols. A door translates; it decides nothing and stores nothing.

pub mod control;
pub mod gpio;
pub mod http;
pub mod mqtt;
pub mod papers;
pub mod reach;
pub mod trial;
