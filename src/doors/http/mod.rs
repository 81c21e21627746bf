//! The HTTP door: one port for REST, realtime, device posts and the page.

pub mod web;
