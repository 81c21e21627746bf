//! What anybody may ask: is this a chat node, which version, which settings.

use crate::base::limits::BODY_BYTES_MAX;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use serde_json::json;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/info", Open, BODY_BYTES_MAX, Reading, info),
    route!(GET "/api/v1/info", Open, BODY_BYTES_MAX, Reading, info),
];

async fn info(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::success(json!({"version": call.site.version})))
}
