//! The HTTP door: what it answers, and what it turns away.

mod bad_input;
mod coming_in;
mod doors;
mod names;
mod own;
