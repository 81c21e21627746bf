//! What anybody may ask before they log in: is this a chat node, which version, how does one come in.

use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::user::Role;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use serde_json::json;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/info", Open, BODY_BYTES_MAX, Reading, info),
    route!(GET "/api/v1/info", Open, BODY_BYTES_MAX, Reading, info),
    route!(GET "/api/v1/settings.oauth", Open, BODY_BYTES_MAX, Reading, oauth),
    route!(GET "/api/v1/service.configurations", Open, BODY_BYTES_MAX, Reading, configurations),
    route!(GET "/api/v1/pw.getPolicy", Open, BODY_BYTES_MAX, Reading, password_policy),
];

/// The release of Rocket.Chat whose API is spoken. Official apps turn away what they think too old.
pub const API_VERSION: &str = "8.0.0";

async fn info(call: Call) -> Result<Reply, Problem> {
    let brief = API_VERSION.rsplit_once('.').map_or(API_VERSION, |(brief, _)| brief);
    let minimum = json!({"desktop": "3.9.6", "mobile": "4.39.0"});
    let is_admin = match &call.caller {
        Some(_) => call.read(|_, actor| Ok(actor.user.is(Role::Admin)))?,
        None => false,
    };
    if !is_admin {
        return Ok(Reply::success(json!({"version": brief, "minimumClientVersions": minimum})));
    }
    let build = json!({
        "arch": std::env::consts::ARCH,
        "platform": std::env::consts::OS,
        "node": format!("linnet {}", call.site.version),
    });
    Ok(Reply::success(json!({
        "version": API_VERSION,
        "info": {"version": API_VERSION, "build": build, "commit": {}, "marketplaceApiVersion": "1.0.0"},
        "minimumClientVersions": minimum,
    })))
}

/// No service elsewhere vouches for anybody here.
async fn oauth(_: Call) -> Result<Reply, Problem> {
    Ok(Reply::success(json!({"services": []})))
}

async fn configurations(_: Call) -> Result<Reply, Problem> {
    Ok(Reply::success(json!({"configurations": []})))
}

/// Any password but an empty one is taken.
async fn password_policy(_: Call) -> Result<Reply, Problem> {
    Ok(Reply::success(json!({"enabled": false, "policy": []})))
}
