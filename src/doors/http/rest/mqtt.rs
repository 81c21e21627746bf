//! What devices publish, for administrators who want to bind it to a room.

use crate::base::limits::TRY_API_SECONDS_MAX;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::doors::trial::{NotTried, Order};
use serde_json::json;

/// The rows of this family.
pub const ROUTES: &[Route] = &[route!(GET "/api/linnet/v1/mqtt/try", LoggedIn, 0, Reading, look)];

/// Seconds to listen unless others are asked for.
const SECONDS: u64 = 2;

/// What topics say and how a binding would read: `?filter=tele/%23`, and `value`, `text`, `room`, `seconds` where they are
/// not to be guessed.
async fn look(call: Call) -> Result<Reply, Problem> {
    let caller = call.caller()?.clone();
    call.site.node.read(|reading| reading.may_try(&caller))?;
    let wanted = |key: &str| call.query.get(key).map(str::to_owned);
    let filter = wanted("filter").ok_or_else(|| Problem::invalid_params("Which topics? filter=FILTER"))?;
    let seconds = call.query.number("seconds").unwrap_or(SECONDS).min(TRY_API_SECONDS_MAX);
    let room = wanted("room").unwrap_or_else(|| "general".to_owned());
    let order = Order { filter, value: wanted("value"), text: wanted("text"), room, seconds };
    let off = || Problem::error("MQTT is off here: 'mqtt.address' in linnet.toml turns it on");
    let trier = call.site.trier.clone().ok_or_else(off)?;
    let tried = (trier.0)(caller, order).await.map_err(|error| match error {
        NotTried::Refused(refusal) => Problem::Refused(refusal),
        NotTried::Wrong(what) => Problem::invalid_params(&what),
    })?;
    let toml = format!("[[bind]]\n{}", tried.keys);
    Ok(Reply::success(json!({ "messages": tried.messages, "more": tried.more, "toml": toml })))
}
