//! A token as bytes.

use crate::chat::token::{Token, TokenHash};
use crate::store::record::codes::token_kind;
use crate::store::record::{RecordError, form};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    hash: [u8; 32],
    user: &'a str,
    kind: u8,
    name: &'a str,
    tail: &'a str,
    created: u64,
    expires: Option<u64>,
}

impl<'a> From<&'a Token> for Form<'a> {
    fn from(token: &'a Token) -> Self {
        Self {
            hash: token.hash.0,
            user: token.user.as_str(),
            kind: token_kind::code(token.kind),
            name: &token.name,
            tail: &token.tail,
            created: token.created,
            expires: token.expires,
        }
    }
}

impl TryFrom<Form<'_>> for Token {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            hash: TokenHash(form.hash),
            user: form::user_id(form.user)?,
            kind: token_kind::parse(form.kind)?,
            name: form.name.into(),
            tail: form.tail.into(),
            created: form.created,
            expires: form.expires,
        })
    }
}

/// Appends a token's value.
pub fn encode(token: &Token, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(token), out)
}

/// The token in a value.
pub fn decode(bytes: &[u8]) -> Result<Token, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}
