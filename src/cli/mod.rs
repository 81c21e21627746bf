//! The command line.

pub mod notify;
