//! Where realtime clients connect: plain, or as sockjs wraps it.

use crate::doors::http::ddp::{self, Framing};
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use hyper::StatusCode;
use serde_json::json;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/websocket", Open, 0, Reading, plain),
    route!(GET "/sockjs/:server/:session/websocket", Open, 0, Reading, sockjs),
    route!(GET "/sockjs/info", Open, 0, Reading, info),
];

async fn plain(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| ddp::run(upgraded, Framing::Raw))
}

async fn sockjs(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| ddp::run(upgraded, Framing::SockJs))
}

async fn info(call: Call) -> Result<Reply, Problem> {
    let entropy = call.site.node.read(|reading| {
        let mut bytes = [0u8; 4];
        reading.world().fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    })?;
    let info = json!({"websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": entropy});
    Ok(Reply::json(StatusCode::OK, &info))
}
