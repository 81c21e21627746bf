//! Tokens that people make for their programs.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::refusal::Refusal;
use crate::doors::http::route::route;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem, Reply, Route};
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/users.createToken", LoggedIn, BODY_BYTES_MAX, Posting, create),
    route!(POST "/api/v1/users.generatePersonalAccessToken", LoggedIn, BODY_BYTES_MAX, Posting, generate),
    route!(POST "/api/v1/users.regeneratePersonalAccessToken", LoggedIn, BODY_BYTES_MAX, Posting, regenerate),
    route!(POST "/api/v1/users.removePersonalAccessToken", LoggedIn, BODY_BYTES_MAX, Posting, remove),
    route!(GET "/api/v1/users.getPersonalAccessTokens", LoggedIn, BODY_BYTES_MAX, Reading, list),
];

async fn create(call: Call) -> Result<Reply, Problem> {
    let who = Given::of(&call)?.user()?;
    let id = call.read(|reading, actor| Ok(reading.user_seen(actor, &who)?.id.clone()))?;
    let (text, token) = call.node(move |node, caller| node.create_token(caller, &id)).await?;
    Ok(done::one("data", json!({ "userId": token.user.as_str(), "authToken": text })))
}

fn name(call: &Call) -> Result<String, Problem> {
    let given = Given::of(call)?;
    let name = given.word("tokenName").ok_or_else(|| Problem::error("The 'tokenName' param is required"))?;
    Ok(name.to_owned())
}

/// Rocket.Chat's word for those who may make none, and for a name that is taken or unknown.
fn in_its_words(problem: Problem) -> Problem {
    match problem {
        Problem::Refused(Refusal::NotAllowed(_)) => Problem::coded("not-authorized", "Not Authorized"),
        Problem::Refused(Refusal::Invalid { what: "tokenName", .. }) => {
            Problem::coded("error-token-already-exists", "A token with this name already exists")
        }
        Problem::Refused(Refusal::NoSuchToken) => {
            Problem::coded("error-token-does-not-exists", "Token does not exist")
        }
        other => other,
    }
}

async fn generate(call: Call) -> Result<Reply, Problem> {
    let name = name(&call)?;
    let made = call.node(move |node, caller| node.add_personal_token(caller, &name)).await;
    Ok(done::one("token", made.map_err(in_its_words)?.0))
}

async fn regenerate(call: Call) -> Result<Reply, Problem> {
    let name = name(&call)?;
    let made = call.node(move |node, caller| {
        node.remove_personal_token(caller, &name)?;
        node.add_personal_token(caller, &name)
    });
    Ok(done::one("token", made.await.map_err(in_its_words)?.0))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let name = name(&call)?;
    call.node(move |node, caller| node.remove_personal_token(caller, &name)).await.map_err(in_its_words)?;
    Ok(done::nothing())
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let tokens = call.read(|reading, actor| reading.personal_tokens(actor)).map_err(in_its_words)?;
    let shown = tokens.iter().map(|token| {
        json!({ "name": token.name.as_str(), "createdAt": date::iso(token.created),
            "lastTokenPart": token.tail.as_str(), "bypassTwoFactor": false })
    });
    Ok(done::one("tokens", shown.collect::<Vec<Value>>()))
}
