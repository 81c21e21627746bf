//! The families of routes. A family is a file with a table `ROUTES` and a plain async function for each row.

pub mod misc;
pub mod own;
pub mod session;
pub mod settings;

use crate::doors::http::{Route, page, realtime};

/// All families, in no particular order: a fixed path goes before one with names in it.
pub const FAMILIES: &[&[Route]] =
    &[misc::ROUTES, own::ROUTES, session::ROUTES, settings::ROUTES, page::ROUTES, realtime::ROUTES];
