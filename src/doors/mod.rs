//! Floor 4: protocols. A door translates; it decides nothing and stores nothing.

pub mod gpio;
//! Floor 4: protocols. A door translates; it never decides.

pub mod control;
pub mod mqtt;
