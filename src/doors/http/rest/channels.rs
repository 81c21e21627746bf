//! Public rooms.

use super::family::{CHANNEL, family, make, people, settings, shared, talk};
use crate::doors::http::Route;

/// The rows groups have too.
pub const SHARED: &[Route] = shared!("channels", CHANNEL);

/// The rows only public rooms have.
pub const ROUTES: &[Route] = family!("channels", CHANNEL, [
    GET "list" Reading make::list_found;
    GET "list.joined" Reading make::list_joined;
    POST "join" Posting make::join;
]);
