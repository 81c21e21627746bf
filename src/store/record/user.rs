//! A user as bytes.

use crate::chat::user::{Roles, User};
use crate::store::record::RecordError;
use crate::store::record::form::{self, Blob};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    id: &'a str,
    username: &'a str,
    name: &'a str,
    roles: u16,
    active: bool,
    password: Option<&'a str>,
    email: Option<&'a str>,
    created: u64,
    #[serde(borrow)]
    extra: Option<Blob<'a>>,
}

impl<'a> From<&'a User> for Form<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id.as_str(),
            username: user.username.as_str(),
            name: &user.name,
            roles: user.roles.bits(),
            active: user.active,
            password: user.password.as_deref(),
            email: user.email.as_deref(),
            created: user.created,
            extra: form::blob_if(user.extra.as_ref()),
        }
    }
}

impl TryFrom<Form<'_>> for User {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            id: form::user_id(form.id)?,
            username: form::name(form.username)?,
            name: form.name.into(),
            roles: Roles::from_bits(form.roles),
            active: form.active,
            password: form.password.map(Into::into),
            email: form.email.map(Into::into),
            created: form.created,
            extra: form::opaque_if(form.extra)?,
        })
    }
}

/// Appends a user's value.
pub fn encode(user: &User, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(user), out)
}

/// The user in a value.
pub fn decode(bytes: &[u8]) -> Result<User, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}
