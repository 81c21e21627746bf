//! What a request gives: parameters from the body or the address, under the names clients use for them.

use crate::base::limits::{INVITED_AT_ONCE_MAX, PAGE_ENTRIES_MAX};
use crate::base::time::WallMs;
use crate::doors::http::query::Query;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem};
use crate::node::listing::{Slice, Who};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value};

/// Entries of a page whose size nobody named: Rocket.Chat's default.
const COUNT_DEFAULT: usize = 50;

/// The parameters of one request.
pub struct Given {
    body: Map<String, Value>,
    query: Query,
}

impl Given {
    /// The parameters of this request. What is in the body goes before what is in the address.
    pub fn of(call: &Call) -> Result<Given, Problem> {
        let reads = call.method == Method::GET || call.method == Method::HEAD;
        let body = if reads { Map::new() } else { call.object()? };
        Ok(Given { body, query: call.query.clone() })
    }

    /// A value of the body that is there and not null.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.body.get(key).filter(|value| !value.is_null())
    }

    /// The body.
    pub fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// A text, which may be empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value(key).map_or_else(|| self.query.get(key), Value::as_str)
    }

    /// A text of at least one character.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.text(key).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A text that has to be there, though it may be empty.
    pub fn text_wanted(&self, key: &str) -> Result<&str, Problem> {
        self.text(key).ok_or_else(|| missing(key))
    }

    /// A text of at least one character that has to be there.
    pub fn word_wanted(&self, key: &str) -> Result<&str, Problem> {
        self.word(key).ok_or_else(|| missing(key))
    }

    /// A switch, as JSON or as text.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key) {
            Some(value) if value.is_boolean() => value.as_bool(),
            _ => match self.text(key)? {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
        }
    }

    /// A number, as JSON or as text.
    pub fn number(&self, key: &str) -> Option<u64> {
        match self.value(key) {
            Some(value) if value.is_u64() => value.as_u64(),
            _ => self.text(key)?.parse().ok(),
        }
    }

    /// A date; `code` is the error when it is none.
    pub fn date(&self, key: &str, code: &str) -> Result<Option<WallMs>, Problem> {
        let Some(text) = self.word(key) else { return Ok(None) };
        let words = format!("The \"{key}\" query parameter must be a valid date.");
        date::parse(text).map(Some).ok_or_else(|| Problem::coded(code, &words))
    }

    /// The page that is wanted of a list.
    pub fn slice(&self) -> Slice {
        self.slice_or(COUNT_DEFAULT)
    }

    /// As [`Given::slice`] with a page size of its own. A count of 0 asks for all there is and gets a full page.
    pub fn slice_or(&self, default: usize) -> Slice {
        let offset = self.number("offset").unwrap_or(0).min(usize::MAX as u64) as usize;
        let count = self.number("count").map_or(default, |count| count.min(PAGE_ENTRIES_MAX as u64) as usize);
        Slice { offset, max: if count == 0 { PAGE_ENTRIES_MAX } else { count } }
    }

    /// The room that is meant: `roomId` or `roomName`.
    pub fn room(&self) -> Result<&str, Problem> {
        let room = self.word("roomId").or_else(|| self.word("roomName"));
        room.map(|room| room.trim_start_matches('#')).filter(|room| !room.is_empty()).ok_or_else(|| {
            Problem::coded(
                "error-roomid-param-not-provided",
                "The parameter \"roomId\" or \"roomName\" is required",
            )
        })
    }

    /// The user that is meant, if one is named: `userId`, `username` or `user`.
    pub fn user_if(&self) -> Option<Who> {
        if let Some(id) = self.word("userId") {
            return Some(Who::Id(id.to_owned()));
        }
        let name = self.word("username").or_else(|| self.word("user"))?;
        Some(Who::Name(name.trim_start_matches('@').to_owned()))
    }

    /// The user that is meant.
    pub fn user(&self) -> Result<Who, Problem> {
        self.user_if().ok_or_else(|| {
            Problem::coded(
                "error-user-param-not-provided",
                "The required \"userId\" or \"username\" param was not provided",
            )
        })
    }

    /// The users that are meant: `userIds`, `usernames`, or a single one.
    pub fn users(&self) -> Result<Vec<Who>, Problem> {
        let ids = self.list("userIds").into_iter().map(Who::Id);
        let names = self.list("usernames").into_iter().map(Who::Name);
        let mut users: Vec<Who> = ids.chain(names).collect();
        if users.is_empty() {
            users.extend(self.user_if());
        }
        if users.is_empty() {
            return Err(Problem::coded(
                "error-users-params-not-provided",
                "Please provide \"userId\" or \"username\" or \"userIds\" or \"usernames\" as array",
            ));
        }
        Ok(users)
    }

    /// Texts given as a list, as `key[]` in the address, or with commas between them; a bounded number of them.
    pub fn list(&self, key: &str) -> Vec<String> {
        let texts: Vec<&str> = match self.value(key) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => text.split(',').collect(),
            _ => self.query.all(key).flat_map(|text| text.split(',')).collect(),
        };
        let texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
        // One more than may be named at once, so that the node refuses what is too long.
        texts.take(INVITED_AT_ONCE_MAX + 1).map(str::to_owned).collect()
    }
}

fn missing(key: &str) -> Problem {
    let fields = Problem::error(format!("The bodyParam \"{key}\" is required"));
    match fields {
        Problem::Fields(_, mut fields) => {
            fields.insert("errorType".into(), "invalid-params".into());
            Problem::Fields(StatusCode::BAD_REQUEST, fields)
        }
        refused => refused,
    }
}
