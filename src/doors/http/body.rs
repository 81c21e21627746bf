//! Bodies: read within the row's limit and time, then understood as an object.

use crate::base::limits::BODY_SECONDS_MAX;
use crate::doors::http::query::Query;
use crate::doors::http::reply::Problem;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use std::time::Duration;

/// Reads a body of at most `max` bytes.
pub async fn read(incoming: Incoming, max: usize) -> Result<Bytes, Problem> {
    // What is announced too large is refused before a byte of it is taken.
    if incoming.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let limit = Duration::from_secs(BODY_SECONDS_MAX);
    match tokio::time::timeout(limit, collect(incoming, max)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::status(
            StatusCode::REQUEST_TIMEOUT,
            format!("The body did not arrive within {BODY_SECONDS_MAX} seconds: send it again"),
        )),
    }
}

async fn collect(mut incoming: Incoming, max: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| Problem::error("The body broke off: send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + whole.len() + data.len() > max {
            return Err(too_large(max));
        }
        // Most bodies come in one piece, which needs no copy.
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            if whole.is_empty() {
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn too_large(max: usize) -> Problem {
    Problem::status(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is too large: at most {max} bytes"))
}

/// The object a body holds.
pub fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_form = kind
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let object = if is_form { form(body)? } else { json(body)? };
    match object.get("payload") {
        Some(Value::String(inner)) if object.len() == 1 => json(inner.as_bytes()),
        _ => Ok(object),
    }
}

fn json(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = if error.is_data() { "The body must be a JSON object" } else { "The body is not JSON" };
        Problem::invalid_params(&format!("{what}: {} (line {line}, column {column})", short(&error)))
    })
}

/// The reader's words without the place, which we give in our own.
fn short(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(words, _)| words.to_owned())
}

fn form(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::error("The form is not UTF-8"))?;
    let mut object = Map::new();
    for (key, value) in Query::parse_form(text)?.pairs() {
        match key.strip_suffix("[]") {
            Some(list) => {
                let values = object.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(values) = values {
                    values.push(value.as_str().into());
                }
            }
            None => {
                object.insert(key.clone(), value.as_str().into());
            }
        }
    }
    Ok(object)
}
