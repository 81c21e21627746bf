//! The one integration binary: house rules, doors, stories.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here, which is what unwrap does")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests wait for real things and need a real clock for the limit"
)]

mod accounts;
mod backup;
mod boards;
mod bridge;
mod broker;
mod care;
mod cli;
mod clock;
mod condense;
mod config;
mod ddp;
mod delivery;
mod devices;
mod growth;
mod harness;
mod health;
mod house;
mod http;
mod journal;
mod node;
mod packets;
mod papers;
mod policy;
mod program;
mod reach;
mod records;
mod rescue;
mod rest;
mod running;
mod serve;
mod sim;
mod simple;
mod small;
mod topics;
mod wire;
