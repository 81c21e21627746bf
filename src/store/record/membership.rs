//! A membership and a read mark as bytes: two values, because a mark moves with every glance.

use crate::base::id::Seq;
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::user::Roles;
use crate::store::record::{RecordError, form};
use serde::{Deserialize, Serialize};

/// The layout of a membership written today.
pub(super) const VERSION: u8 = 1;
/// The layout of a mark written today.
pub(super) const MARK_VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    room: &'a str,
    user: &'a str,
    roles: u16,
    joined: u64,
    open: bool,
    favourite: bool,
}

impl<'a> From<&'a Membership> for Form<'a> {
    fn from(membership: &'a Membership) -> Self {
        Self {
            room: membership.room.as_str(),
            user: membership.user.as_str(),
            roles: membership.roles.bits(),
            joined: membership.joined,
            open: membership.open,
            favourite: membership.favourite,
        }
    }
}

impl TryFrom<Form<'_>> for Membership {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            room: form::room_id(form.room)?,
            user: form::user_id(form.user)?,
            roles: Roles::from_bits(form.roles),
            joined: form.joined,
            open: form.open,
            favourite: form.favourite,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct MarkForm {
    count: u64,
    seq: u64,
    at: u64,
}

impl From<&ReadMark> for MarkForm {
    fn from(mark: &ReadMark) -> Self {
        Self { count: mark.count, seq: mark.seq.0, at: mark.at }
    }
}

impl From<MarkForm> for ReadMark {
    fn from(form: MarkForm) -> Self {
        Self { count: form.count, seq: Seq(form.seq), at: form.at }
    }
}

/// Appends a membership's value.
pub fn encode(membership: &Membership, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(membership), out)
}

/// The membership in a value.
pub fn decode(bytes: &[u8]) -> Result<Membership, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}

/// Appends a mark's value.
pub fn encode_mark(mark: &ReadMark, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(MARK_VERSION, &MarkForm::from(mark), out)
}

/// The mark in a value.
pub fn decode_mark(bytes: &[u8]) -> Result<ReadMark, RecordError> {
    form::decode::<MarkForm>(MARK_VERSION, bytes).map(Into::into)
}
