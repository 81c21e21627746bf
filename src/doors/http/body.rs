//! Bodies: read within the row's limit and time, then understood as an object.

use crate::base::limits::{BODY_DISCARD_BYTES_MAX, BODY_SECONDS_MAX};
use crate::doors::http::query::Query;
use crate::doors::http::reply::Problem;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use std::time::Duration;

/// Reads a body of at most `max` bytes. `waits` says that the client sends nothing before it is told to.
pub async fn read(mut incoming: Incoming, max: usize, waits: bool) -> Result<Bytes, Problem> {
    let limit = Duration::from_secs(BODY_SECONDS_MAX);
    let announced = incoming.size_hint().lower() > max as u64;
    if announced && waits {
        return Err(too_large(max));
    }
    let reading = async {
        let read = if announced { Err(too_large(max)) } else { collect(&mut incoming, max).await };
        if read.is_err() {
            discard(&mut incoming).await;
        }
        read
    };
    match tokio::time::timeout(limit, reading).await {
        Ok(read) => read,
        Err(_) => Err(Problem::status(
            StatusCode::REQUEST_TIMEOUT,
            format!("The body did not arrive within {BODY_SECONDS_MAX} seconds: send it again"),
        )),
    }
}

/// Takes what a client is still sending, within bounds: closing on it at once would lose it our answer.
pub(super) async fn discard(incoming: &mut Incoming) {
    let mut left = BODY_DISCARD_BYTES_MAX;
    while let Some(Ok(frame)) = incoming.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn collect(incoming: &mut Incoming, max: usize) -> Result<Bytes, Problem> {
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

pub(super) fn too_large(max: usize) -> Problem {
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
