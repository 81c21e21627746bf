//! The changed rows of what roles may do, as bytes. A row that this program does not have is passed over.

use crate::chat::permission::{Permission, Permissions, Row};
use crate::chat::user::Roles;
use crate::store::record::{RecordError, form};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a>(#[serde(borrow)] Vec<(&'a str, u16, u64)>);

impl From<&Permissions> for Form<'static> {
    fn from(table: &Permissions) -> Self {
        Self(table.changed().iter().map(|row| (row.permission.id(), row.roles.bits(), row.changed)).collect())
    }
}

impl From<Form<'_>> for Permissions {
    fn from(form: Form<'_>) -> Self {
        Permissions::of(form.0.into_iter().filter_map(|(id, bits, changed)| {
            Some(Row { permission: Permission::find(id)?, roles: Roles::from_bits(bits), changed })
        }))
    }
}

/// Appends the value of a table's changed rows.
pub fn encode(table: &Permissions, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(table), out)
}

/// The table in a value.
pub fn decode(bytes: &[u8]) -> Result<Permissions, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes).map(Permissions::from)
}
