//! The families of routes. A family is a file with a table `ROUTES` and a plain async function for each row.

pub mod misc;

use crate::doors::http::Route;

/// All families, in no particular order: a fixed path goes before one with names in it.
pub const FAMILIES: &[&[Route]] = &[misc::ROUTES];
