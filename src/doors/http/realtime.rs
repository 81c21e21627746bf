//! Where clients connect by WebSocket: realtime ones, plain or as sockjs wraps it, and those that speak MQTT.

use crate::doors::http::ddp::{self, Framing};
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, Upgraded};
use crate::doors::reach::Stream;
use hyper::StatusCode;
use hyper::header::SEC_WEBSOCKET_PROTOCOL;
use serde_json::json;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/websocket", Open, 0, Reading, plain),
    route!(GET "/sockjs/:server/:session/websocket", Open, 0, Reading, sockjs),
    route!(GET "/sockjs/info", Open, 0, Reading, info),
    route!(GET "/mqtt", Open, 0, Reading, mqtt),
];

async fn plain(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| ddp::run(upgraded, Framing::Raw))
}

async fn sockjs(call: Call) -> Result<Reply, Problem> {
    call.websocket(|upgraded| ddp::run(upgraded, Framing::SockJs))
}

/// MQTT inside binary frames, as section 6 of both its versions has it.
async fn mqtt(call: Call) -> Result<Reply, Problem> {
    let closed =
        || Problem::status(StatusCode::NOT_FOUND, "MQTT is off here: set mqtt.address in linnet.toml");
    let take = call.site.mqtt.clone().ok_or_else(closed)?;
    if !call.asks(SEC_WEBSOCKET_PROTOCOL, "mqtt") {
        return Err(Problem::error("This address speaks MQTT: ask for the WebSocket subprotocol 'mqtt'"));
    }
    let reply = call.websocket(move |upgraded| {
        let Upgraded { stream, leftover, .. } = upgraded;
        take(Stream::websocket(stream, leftover))
    })?;
    Ok(reply.with(SEC_WEBSOCKET_PROTOCOL, "mqtt"))
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
