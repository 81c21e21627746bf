//! An invitation as bytes.

use crate::base::id::{RoomId, UserId};
use crate::chat::invitation::{Invitation, InvitationKind};
use crate::chat::token::TokenHash;
use crate::store::record::codes::{INVITATION_JOIN, INVITATION_OWNER};
use crate::store::record::{RecordError, form};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    hash: [u8; 32],
    kind: u8,
    room: Option<&'a str>,
    id: &'a str,
    by: Option<&'a str>,
    created: u64,
    expires: Option<u64>,
    uses_max: u32,
    uses: u32,
}

impl<'a> From<&'a Invitation> for Form<'a> {
    fn from(invitation: &'a Invitation) -> Self {
        let (kind, room) = match &invitation.kind {
            InvitationKind::Owner => (INVITATION_OWNER, None),
            InvitationKind::Join(room) => (INVITATION_JOIN, Some(RoomId::as_str(room))),
        };
        Self {
            hash: invitation.hash.0,
            kind,
            room,
            id: &invitation.id,
            by: invitation.by.as_ref().map(UserId::as_str),
            created: invitation.created,
            expires: invitation.expires,
            uses_max: invitation.uses_max,
            uses: invitation.uses,
        }
    }
}

impl TryFrom<Form<'_>> for Invitation {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        let kind = match (form.kind, form.room) {
            (INVITATION_OWNER, None) => InvitationKind::Owner,
            (INVITATION_JOIN, Some(room)) => InvitationKind::Join(form::room_id(room)?),
            _ => return Err(RecordError::Damaged { part: "invitation kind" }),
        };
        Ok(Self {
            hash: TokenHash(form.hash),
            kind,
            id: form.id.into(),
            by: form::user_id_if(form.by)?,
            created: form.created,
            expires: form.expires,
            uses_max: form.uses_max,
            uses: form.uses,
        })
    }
}

/// Appends an invitation's value.
pub fn encode(invitation: &Invitation, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(invitation), out)
}

/// The invitation in a value.
pub fn decode(bytes: &[u8]) -> Result<Invitation, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}
