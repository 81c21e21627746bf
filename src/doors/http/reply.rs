//! What goes back: a reply, or the problem that stands in its place.

use crate::chat::refusal::Refusal;
use crate::doors::http::refusal::{self, Envelope};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io;

/// The body of any reply.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// `Content-Type` of every JSON reply. Clients compare the whole text, so no charset follows.
pub const JSON: &str = "application/json";

/// A reply in the making.
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers, `Content-Type` included.
    pub headers: HeaderMap,
    body: Body,
}

impl Reply {
    /// 200 with these fields and `success: true`. What does not make a JSON object is sent as it is.
    pub fn success(fields: impl Serialize) -> Reply {
        let value = match serde_json::to_value(fields).expect("what the wire shapes hold always makes JSON") {
            Value::Object(mut fields) => {
                fields.insert("success".into(), true.into());
                Value::Object(fields)
            }
            Value::Null => json!({"success": true}),
            bare => bare,
        };
        Reply::json(StatusCode::OK, &value)
    }

    /// Any status with this JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
        let bytes = serde_json::to_vec(value).expect("what the wire shapes hold always makes JSON");
        let mut reply = Reply::bytes(JSON, bytes);
        reply.status = status;
        // What one person asked must not be shown to the next one by a cache between us.
        reply.set(CACHE_CONTROL, "no-store");
        reply
    }

    /// 200 with these bytes.
    pub fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Reply {
        let body = Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync();
        Reply::streamed(content_type, body)
    }

    /// 200 with a body that comes in its own time.
    pub fn streamed(content_type: &'static str, body: Body) -> Reply {
        let mut reply = Reply { status: StatusCode::OK, headers: HeaderMap::new(), body };
        reply.set(CONTENT_TYPE, content_type);
        reply
    }

    /// A status without a body, as 304 is.
    pub fn empty(status: StatusCode) -> Reply {
        let mut reply = Reply::bytes(JSON, Bytes::new());
        reply.headers.remove(CONTENT_TYPE);
        reply.status = status;
        reply
    }

    /// Sets a header; text that no header can carry is left out.
    pub fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// The reply with a header more.
    pub fn with(mut self, name: HeaderName, value: &str) -> Reply {
        self.set(name, value);
        self
    }

    /// The reply as hyper sends it.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Why there is no ordinary reply.
pub enum Problem {
    /// The node said no: worded by the one table in `refusal`.
    Refused(Refusal),
    /// This status with these fields, which hold `success: false` or `status: "error"` already.
    Fields(StatusCode, Map<String, Value>),
}

impl Problem {
    /// 400 with a text, and no code.
    pub fn error(text: impl Into<String>) -> Problem {
        Problem::status(StatusCode::BAD_REQUEST, text)
    }

    /// Any status with a text, and no code.
    pub fn status(status: StatusCode, text: impl Into<String>) -> Problem {
        let mut fields = Map::new();
        fields.insert("success".into(), false.into());
        fields.insert("error".into(), text.into().into());
        Problem::Fields(status, fields)
    }

    /// 400 with one of Rocket.Chat's codes: `error` is `<reason> [<code>]`, or `[<code>]` without a reason.
    pub fn coded(code: &str, reason: &str) -> Problem {
        Problem::coded_status(StatusCode::BAD_REQUEST, code, reason)
    }

    /// As [`Problem::coded`] with another status.
    pub fn coded_status(status: StatusCode, code: &str, reason: &str) -> Problem {
        Problem::Fields(status, refusal::coded(code, reason))
    }

    /// 400 with one of Rocket.Chat's codes beside the reason, where its own answer has no code in the text.
    pub fn told(code: &str, reason: &str) -> Problem {
        let mut fields = refusal::coded(code, reason);
        fields.insert("error".into(), reason.into());
        Problem::Fields(StatusCode::BAD_REQUEST, fields)
    }

    /// 400 as a parameter gets that is absent or of the wrong form.
    pub fn invalid_params(reason: &str) -> Problem {
        Problem::coded("invalid-params", reason)
    }

    /// The problem as a reply.
    pub fn into_reply(self) -> Reply {
        let (status, fields) = match self {
            Problem::Refused(refused) => {
                let words = refusal::words(&refused);
                (words.status, words.fields(Envelope::Rest))
            }
            Problem::Fields(status, fields) => (status, fields),
        };
        Reply::json(status, &fields)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Refused(refusal)
    }
}
