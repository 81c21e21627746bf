//! What administrators may take along: a backup of everything, or rooms as a file for people.

use crate::base::date::parse;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::refusal::Refusal;
use crate::doors::http::pieces::attachment;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route, login};
use crate::node::backup::ExportOrder;
use crate::node::passwords::Digested;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/linnet/v1/backup", LoggedIn, BODY_BYTES_MAX, Entering, backup),
    route!(GET "/api/linnet/v1/export", LoggedIn, 0, Reading, export),
];

#[derive(Deserialize)]
struct Confirmed {
    password: String,
}

/// A backup as a file. The password is asked for again: a page left open gives nobody everything.
async fn backup(call: Call) -> Result<Reply, Problem> {
    let caller = call.caller()?.clone();
    call.site.node.read(|reading| reading.may_back_up(&caller))?;
    let confirmed: Confirmed = call.json()?;
    login::confirm(&call.site, call.peer_ip(), &caller, Digested::of_plain(&confirmed.password)?).await?;
    let place = place(&call)?;
    let begun = call.site.node.read(|reading| {
        let permit = reading.may_back_up(&caller)?;
        reading.back_up(&permit, call.site.test_mode)
    })?;
    let name = format!("linnet-{:016x}-{:012}.backup", begun.head().node, begun.head().last_seq);
    let node = call.site.node.clone();
    let still = move || node.read(|reading| reading.may_back_up(&caller)).map(drop);
    Ok(attachment("application/octet-stream", &name, Box::new(begun), still, place))
}

/// The place of the one that may go out, or come in, at a time.
pub(super) fn place(call: &Call) -> Result<OwnedSemaphorePermit, Problem> {
    call.site.carrying.clone().try_acquire_owned().map_err(|_| Problem::Refused(Refusal::Busy))
}

/// A room as a file: `?room=garden&format=html`, and `since` and `until` where only a part is wanted.
async fn export(call: Call) -> Result<Reply, Problem> {
    let caller = call.caller()?.clone();
    let format = call.query.get("format").unwrap_or("jsonl").to_owned();
    let room = call.query.get("room").ok_or_else(|| Problem::invalid_params("Which room? room=NAME"))?;
    let time = |key: &str| match call.query.get(key) {
        Some(text) => {
            parse(text).map(Some).ok_or_else(|| Problem::invalid_params("since and until take a time"))
        }
        None => Ok(None),
    };
    let (since, until) = (time("since")?, time("until")?);
    let place = place(&call)?;
    let order = ExportOrder { rooms: vec![room.to_owned()], format: format.clone(), since, until };
    let pieces = (call.site.export)(&call.site.node, &caller, &order)?;
    // Each page asks for the right anew.
    Ok(attachment("application/octet-stream", &format!("linnet.{format}"), pieces, || Ok(()), place))
}
