//! Private rooms.

use super::family::{GROUP, family, make, people, settings, shared, talk};
use crate::doors::http::Route;

/// The rows channels have too.
pub const SHARED: &[Route] = shared!("groups", GROUP);

/// The rows only private rooms have.
pub const ROUTES: &[Route] = family!("groups", GROUP, [
    GET "list" Reading make::list_joined;
    GET "listAll" Reading make::list_all;
]);
