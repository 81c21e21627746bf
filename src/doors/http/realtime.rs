//! Where realtime clients connect: plain, or as sockjs wraps it.

use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, Upgraded};
use hyper::StatusCode;
use serde_json::json;
use tokio::io::AsyncWriteExt;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/websocket", Open, 0, Reading, plain),
    route!(GET "/sockjs/:server/:session/websocket", Open, 0, Reading, sockjs),
    route!(GET "/sockjs/info", Open, 0, Reading, info),
];

async fn plain(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| session(upgraded, false))
}

async fn sockjs(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| session(upgraded, true))
}

/// One client's session, to its end.
async fn session(mut upgraded: Upgraded, is_sockjs: bool) {
    tracing::debug!(peer = %upgraded.peer, is_sockjs, "no realtime sessions in this build");
    let _ = upgraded.stream.write_all(b"\x88\x0b\x03\xf5not ready").await;
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
