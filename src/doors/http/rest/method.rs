//! Realtime methods called by REST, for clients that would rather not keep a socket for one question.

use crate::base::limits::BODY_BYTES_MAX;
use crate::doors::http::ddp::message;
use crate::doors::http::ddp::method::{self, MethodCall};
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/method.call/:method", LoggedIn, BODY_BYTES_MAX, Posting, called),
    route!(POST "/api/v1/method.callAnon/:method", Open, BODY_BYTES_MAX, Entering, called),
];

/// The message is a text with JSON in it, both ways; an error of the method is an answer like any other.
async fn called(call: Call) -> Result<Reply, Problem> {
    let body = call.object()?;
    let bad = || Problem::invalid_params("message must be a text with {msg, id, method, params} in it");
    let asked: Value = body
        .get("message")
        .and_then(Value::as_str)
        .map(serde_json::from_str)
        .ok_or_else(bad)?
        .map_err(|_| bad())?;
    let name = call.params.get("method").to_owned();
    if asked.get("method").and_then(Value::as_str).is_some_and(|method| method != name) {
        return Err(Problem::invalid_params("the method in the message is not the one of the address"));
    }
    let params = match asked.get("params") {
        Some(Value::Array(params)) => params.clone(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err(bad()),
    };
    let id = match asked.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    let method = MethodCall { site: call.site.clone(), caller: call.caller.clone(), peer: call.peer, params };
    let answer = message::result(&id, &method::call(method, name).await);
    Ok(Reply::success(json!({ "message": answer.to_string() })))
}
