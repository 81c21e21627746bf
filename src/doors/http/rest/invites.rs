//! Invitations by code.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::invitation::{Invitation, InvitationKind};
use crate::chat::refusal::Refusal;
use crate::doors::http::route::route;
use crate::doors::http::wire::{date, room};
use crate::doors::http::{Call, Problem, Reply, Route};
use hyper::StatusCode;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/findOrCreateInvite", LoggedIn, BODY_BYTES_MAX, Posting, create),
    route!(GET "/api/v1/listInvites", LoggedIn, BODY_BYTES_MAX, Reading, list),
    route!(DELETE "/api/v1/removeInvite/:id", LoggedIn, BODY_BYTES_MAX, Posting, remove),
    route!(POST "/api/v1/useInviteToken", LoggedIn, BODY_BYTES_MAX, Entering, use_token),
    route!(POST "/api/v1/validateInviteToken", Open, BODY_BYTES_MAX, Entering, validate),
];

const DAY_MS: u64 = 24 * 3_600 * 1_000;
const DAYS: [u64; 5] = [0, 1, 7, 15, 30];
const USES: [u64; 7] = [0, 1, 5, 10, 25, 50, 100];

/// Always a fresh one: of those there are, only the hashes are kept, so no link could be told again.
async fn create(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let (days, uses) = (given.number("days").unwrap_or(1), given.number("maxUses").unwrap_or(0));
    if !DAYS.contains(&days) || !USES.contains(&uses) {
        return Err(Problem::coded(
            "error-invalid-params",
            "days is one of 0 1 7 15 30, maxUses of 0 1 5 10 25 50 100",
        ));
    }
    let rid = given.word_wanted("rid")?;
    let (room, by, now) = call.read(|reading, actor| {
        let room = reading.room_known(actor, rid)?.id.clone();
        Ok((room, actor.user.id.clone(), reading.now().wall_ms))
    })?;
    let ends = (days > 0).then(|| now + days * DAY_MS);
    let into = room.clone();
    let code = call.node(move |node, caller| node.invite_by_code(caller, &into, ends, uses as u32)).await?;
    Ok(Reply::success(json!({
        "_id": code, "rid": room.as_str(), "days": days, "maxUses": uses, "uses": 0, "userId": by.as_str(),
        "createdAt": date::iso(now), "_updatedAt": date::iso(now), "expires": ends.map(date::iso),
        "url": format!("http://{}/#inv-{code}", call.host()),
    })))
}

fn shown(invitation: &Invitation) -> Option<Value> {
    let InvitationKind::Join(room) = &invitation.kind else { return None };
    let days = invitation.expires.map_or(0, |ends| ends.saturating_sub(invitation.created).div_ceil(DAY_MS));
    Some(json!({
        "_id": invitation.id.as_str(), "rid": room.as_str(), "days": days, "maxUses": invitation.uses_max,
        "uses": invitation.uses, "userId": invitation.by.as_ref().map(|by| by.as_str()),
        "createdAt": date::iso(invitation.created), "expires": invitation.expires.map(date::iso),
    }))
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let known = call.read(|reading, actor| reading.invitations_seen(actor))?;
    let shown: Vec<Value> = known.iter().filter_map(shown).collect();
    // A bare list, as clients expect it here.
    Ok(Reply::json(StatusCode::OK, &shown))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let id = call.params.get("id").to_owned();
    call.node(move |node, caller| node.remove_invitation(caller, &id)).await?;
    Ok(Reply::json(StatusCode::OK, &true))
}

async fn use_token(call: Call) -> Result<Reply, Problem> {
    let code = Given::of(&call)?.word_wanted("token")?.to_owned();
    let entered =
        call.node(move |node, caller| node.enter_by_code(caller, &code)).await.map_err(|problem| {
            match problem {
                Problem::Refused(Refusal::CodeUnknown) => {
                    Problem::coded("error-invalid-token", "The invite token is invalid.")
                }
                other => other,
            }
        })?;
    Ok(done::one(
        "room",
        json!({ "rid": entered.id.as_str(), "name": entered.label(), "fname": entered.label(),
            "t": room::letter(entered.kind) }),
    ))
}

async fn validate(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let code = given.word_wanted("token")?;
    match call.site.node.read(|reading| reading.room_of_code(code)) {
        Ok(_) => Ok(done::one("valid", true)),
        Err(Refusal::CodeUnknown) => Ok(done::one("valid", false)),
        Err(refusal) => Err(refusal.into()),
    }
}
