//! `GET /health`: whether all is well, for whoever watches over the node. It needs no login and names nobody.
//!
//! 200 as long as the node serves, also with troubles: `status` is `ok`, `warning` or `error` by the worst of them.
//! 503 once the store has failed and nothing is taken any more; the node then stops, and a service manager starts it
//! again.

use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::health::Severity;
use hyper::StatusCode;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[route!(GET "/health", Open, 0, Reading, health)];

async fn health(call: Call) -> Result<Reply, Problem> {
    let (node, version) = (&call.site.node, &call.site.version);
    let failed = node.has_failed();
    let status = if failed { "error" } else { word(node.health.worst()) };
    let troubles: Vec<Value> = node
        .health
        .current()
        .into_iter()
        .filter(|trouble| trouble.kind.severity() > Severity::Info)
        .map(|trouble| json!({"kind": trouble.kind.word(), "text": trouble.text}))
        .collect();
    let uptime_s = node.read(|reading| Ok(reading.world().mono_ms() / 1_000))?;
    let body = json!({"status": status, "troubles": troubles, "version": version, "uptime_s": uptime_s});
    let code = if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok(Reply::json(code, &body))
}

fn word(worst: Severity) -> &'static str {
    match worst {
        Severity::Info => "ok",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
