//! Devices, for administrators: which there are, where they may speak, when they last did.

use crate::doors::http::route::route;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::devices::Heard;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[route!(GET "/api/linnet/v1/devices", LoggedIn, 0, Reading, list)];

async fn list(call: Call) -> Result<Reply, Problem> {
    let devices = call.read(|reading, actor| reading.devices_heard(actor))?;
    Ok(Reply::success(json!({ "devices": devices.iter().map(shown).collect::<Vec<_>>() })))
}

fn shown(device: &Heard) -> Value {
    let rooms = device.bindings.iter().map(|(binding, name)| {
        json!({ "_id": binding.room.as_str(), "name": name.as_str(), "post": binding.post, "read": binding.read })
    });
    json!({
        "_id": device.user.id.as_str(),
        "name": device.user.username.as_str(),
        "rooms": rooms.collect::<Vec<_>>(),
        "lastSeen": device.heard.map(date::iso),
    })
}
