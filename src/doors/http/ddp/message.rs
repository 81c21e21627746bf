//! DDP messages: what a client may say, and the frames' texts that answer it. EJSON dates are `{"$date": ms}`.

use crate::base::limits::DDP_ID_BYTES_MAX;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// The versions spoken; `pre2` is what Hubot's adapter sends.
pub const VERSIONS: [&str; 3] = ["1", "pre2", "pre1"];

/// What a client says.
#[derive(PartialEq, Debug)]
pub enum Said {
    /// Wants to begin, with the versions it speaks.
    Connect {
        /// The one it prefers.
        version: String,
        /// All of them.
        support: Vec<String>,
    },
    /// Wants a sign of life.
    Ping {
        /// To be echoed.
        id: Option<String>,
    },
    /// Gives a sign of life.
    Pong,
    /// Calls a method.
    Method {
        /// To tell the answer by.
        id: String,
        /// Which.
        method: String,
        /// With what.
        params: Vec<Value>,
    },
    /// Wants to hear of something.
    Sub {
        /// To name it by later.
        id: String,
        /// Of what.
        name: String,
        /// More exactly.
        params: Vec<Value>,
    },
    /// Wants to hear of it no more.
    Unsub {
        /// Which.
        id: String,
    },
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    support: Vec<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    params: Option<Vec<Value>>,
    #[serde(default, rename = "randomSeed")]
    _random_seed: IgnoredAny,
}

/// Why a message was not understood, in words for the client's log.
pub type Misunderstood = &'static str;

impl Said {
    /// Takes a message apart.
    pub fn parse(text: &str) -> Result<Said, Misunderstood> {
        let fields: Fields = serde_json::from_str(text).map_err(|_| "Bad request: not a DDP message")?;
        let id = match fields.id {
            // Some clients count instead of naming.
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::String(id)) if id.len() <= DDP_ID_BYTES_MAX => Some(id),
            None | Some(Value::Null) => None,
            Some(_) => return Err("Malformed id: want a text of at most 128 bytes"),
        };
        let named = |name: Option<String>| name.ok_or("Malformed message: it has no name");
        let needed = |id: Option<String>| id.ok_or("Malformed message: it has no id");
        let params = fields.params.unwrap_or_default();
        match fields.msg.as_deref() {
            Some("connect") => Ok(Said::Connect {
                version: fields.version.ok_or("Malformed connect: it has no version")?,
                support: fields.support,
            }),
            Some("ping") => Ok(Said::Ping { id }),
            Some("pong") => Ok(Said::Pong),
            Some("method") => Ok(Said::Method { id: needed(id)?, method: named(fields.method)?, params }),
            Some("sub") => Ok(Said::Sub { id: needed(id)?, name: named(fields.name)?, params }),
            Some("unsub") => Ok(Said::Unsub { id: needed(id)? }),
            Some(_) | None => Err("Bad request: unknown msg"),
        }
    }
}

/// An error as Meteor's clients know it.
#[derive(Clone, PartialEq, Debug)]
pub struct MethodError {
    /// A code such as `error-not-allowed`, or a number.
    pub error: Value,
    /// For people.
    pub reason: String,
    /// What else is known.
    pub details: Option<Value>,
}

impl MethodError {
    /// An error with a code of letters.
    pub fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { error: code.into(), reason: reason.into(), details: None }
    }

    /// An error with a number, as HTTP has them.
    pub fn numbered(code: u16, reason: impl Into<String>) -> Self {
        Self { error: code.into(), reason: reason.into(), details: None }
    }

    /// The error as an object.
    pub fn to_json(&self) -> Value {
        let code = self.error.as_str().map_or_else(|| self.error.to_string(), str::to_owned);
        let message = match self.reason.as_str() {
            "" => format!("[{code}]"),
            reason => format!("{reason} [{code}]"),
        };
        let mut object = json!({
            "isClientSafe": true,
            "error": self.error,
            "message": message,
            "errorType": "Meteor.Error",
        });
        if !self.reason.is_empty() {
            object["reason"] = self.reason.as_str().into();
        }
        if let Some(details) = &self.details {
            object["details"] = details.clone();
        }
        object
    }
}

/// A date as EJSON has it.
pub fn date(ms: u64) -> Value {
    json!({ "$date": ms })
}

/// The time of an EJSON date.
pub fn date_of(value: &Value) -> Option<u64> {
    let ms = value.get("$date")?;
    ms.as_u64().or_else(|| ms.as_f64().filter(|ms| *ms >= 0.0).map(|ms| ms as u64))
}

/// The session has begun.
pub fn connected(session: &str) -> Value {
    json!({ "msg": "connected", "session": session })
}

/// The versions do not fit; this one would.
pub fn failed() -> Value {
    json!({ "msg": "failed", "version": VERSIONS[0] })
}

/// A message was not understood.
pub fn error(reason: &str, text: &str) -> Value {
    json!({ "msg": "error", "reason": reason, "offendingMessage": crate::chat::name::line(text).as_str() })
}

/// A sign of life, asked for.
pub fn ping() -> Value {
    json!({ "msg": "ping" })
}

/// A sign of life.
pub fn pong(id: Option<&str>) -> Value {
    match id {
        Some(id) => json!({ "msg": "pong", "id": id }),
        None => json!({ "msg": "pong" }),
    }
}

/// What a method gave.
pub fn result(id: &str, given: &Result<Value, MethodError>) -> Value {
    match given {
        // A method that gives nothing has no result, not even null.
        Ok(Value::Null) => json!({ "msg": "result", "id": id }),
        Ok(value) => json!({ "msg": "result", "id": id, "result": value }),
        Err(error) => json!({ "msg": "result", "id": id, "error": error.to_json() }),
    }
}

/// What a method wrote can be seen.
pub fn updated(id: &str) -> Value {
    json!({ "msg": "updated", "methods": [id] })
}

/// A subscription is on.
pub fn ready(id: &str) -> Value {
    json!({ "msg": "ready", "subs": [id] })
}

/// A subscription is off.
pub fn nosub(id: &str, error: Option<&MethodError>) -> Value {
    match error {
        Some(error) => json!({ "msg": "nosub", "id": id, "error": error.to_json() }),
        None => json!({ "msg": "nosub", "id": id }),
    }
}

/// A document came.
pub fn added(collection: &str, id: &str, fields: Value) -> Value {
    json!({ "msg": "added", "collection": collection, "id": id, "fields": fields })
}

/// A document went.
pub fn removed(collection: &str, id: &str) -> Value {
    json!({ "msg": "removed", "collection": collection, "id": id })
}

/// An event of a stream, as bytes: `args` is a JSON array.
pub fn event(stream: &str, event: &str, args: &[u8]) -> Vec<u8> {
    let event = Value::from(event).to_string();
    [
        br#"{"msg":"changed","collection":""#,
        stream.as_bytes(),
        br#"","id":"id","fields":{"eventName":"#,
        event.as_bytes(),
        br#","args":"#,
        args,
        b"}}",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_understood() {
        let hubot = r#"{"msg":"connect","version":"pre2","support":["pre2"]}"#;
        let connect = Said::Connect { version: "pre2".into(), support: vec!["pre2".into()] };
        assert_eq!(Said::parse(hubot), Ok(connect));
        let call = r#"{"msg":"method","id":7,"method":"rooms/get","params":[null],"randomSeed":"x"}"#;
        let method = Said::Method { id: "7".into(), method: "rooms/get".into(), params: vec![Value::Null] };
        assert_eq!(Said::parse(call), Ok(method));
        assert_eq!(Said::parse(r#"{"msg":"ping"}"#), Ok(Said::Ping { id: None }));
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        let long = format!(r#"{{"msg":"unsub","id":"{}"}}"#, "x".repeat(DDP_ID_BYTES_MAX + 1));
        let deep = format!(r#"{{"msg":"sub","id":"1","name":"x","params":{}"#, "[".repeat(10_000));
        for bad in ["", "x", "[]", "{}", r#"{"msg":"sub"}"#, r#"{"msg":"fly","id":"1"}"#, &long, &deep] {
            assert!(Said::parse(bad).is_err(), "{bad:.80} was understood");
        }
    }

    #[test]
    fn an_error_says_its_reason_and_code() {
        let error = MethodError::new("error-not-allowed", "Not allowed").to_json();
        assert_eq!(error["message"], "Not allowed [error-not-allowed]");
        assert_eq!(MethodError::numbered(404, "").to_json()["message"], "[404]");
    }
}
