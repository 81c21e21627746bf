//! The node's clock: how it stands, and setting it where the machine does not know the time.

use crate::base::limits::BODY_BYTES_MAX;
use crate::doors::http::route::route;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::clock::{Standing, Trust};
use serde::Deserialize;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/linnet/v1/clock", LoggedIn, BODY_BYTES_MAX, Reading, show),
    route!(POST "/api/linnet/v1/clock", LoggedIn, BODY_BYTES_MAX, Posting, set),
];

fn shown(standing: &Standing) -> Value {
    let trust = match standing.trust {
        Trust::Nobody => "nobody",
        Trust::Person => "person",
        Trust::Machine => "machine",
    };
    json!({
        "time": date::iso(standing.now.wall_ms),
        "trust": trust,
        "trusted": standing.now.trusted,
        // What the machine says when it is not believed.
        "machine": standing.doubted.map(date::iso),
    })
}

async fn show(call: Call) -> Result<Reply, Problem> {
    let standing = call.read(|reading, _| Ok(reading.clock().standing()))?;
    Ok(Reply::success(shown(&standing)))
}

#[derive(Deserialize)]
struct Wanted {
    /// An ISO date, or milliseconds as digits.
    time: String,
}

async fn set(call: Call) -> Result<Reply, Problem> {
    let Wanted { time } = call.json()?;
    let to = crate::base::date::parse(&time)
        .ok_or_else(|| Problem::invalid_params("\"time\" is a date such as \"2026-05-01T12:30:00Z\""))?;
    let standing = call.node(move |node, caller| node.set_clock(caller, to)).await?;
    Ok(Reply::success(shown(&standing)))
}
