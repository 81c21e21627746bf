//! What happened, as bytes. A noun that a Change carries whole has the layout of its own file.

use super::{tag, topics};
use crate::base::id::{MessageId, Seq, UserId};
use crate::chat::change::{Change, ClockSet, Origin, Revision, Via, What};
use crate::chat::message::Message;
use crate::chat::name::Name;
use crate::chat::token::TokenHash;
use crate::store::record::codes::{REVISION_EDITED, REVISION_REACTED};
use crate::store::record::form::{self, Reader, Writer};
use crate::store::record::membership::MarkForm;
use crate::store::record::message::{self, Around};
use crate::store::record::{RecordError, device, invitation, membership, permissions, room, token, user};

/// The message's id is the client's own and has a key.
const OWN_ID: u8 = 1;
/// It came by a bridge.
const VIA: u8 = 1 << 1;

// ---- writing ----

/// Appends what happened.
pub(super) fn write(change: &Change, out: &mut Writer<'_>) -> Result<(), RecordError> {
    match &change.what {
        What::Started { version } => out.put(version.as_str()),
        What::UserAdded(user) | What::UserChanged(user) => out.put(&user::Form::from(user)),
        What::UserRemoved { user, username } => out.put(&(user.as_str(), username.as_str())),
        What::RoomMade(room) => out.put(&room::Form::from(room)),
        What::RoomChanged { room, former_name } => {
            out.put(&(room::Form::from(room), former_name.as_ref().map(Name::as_str)))
        }
        What::RoomRemoved { room, name } => out.put(&(room.as_str(), name.as_ref().map(Name::as_str))),
        What::Joined(membership) | What::MembershipChanged(membership) => {
            out.put(&membership::Form::from(membership))
        }
        What::Left { room, user, by } => {
            out.put(&(room.as_str(), user.as_str(), by.as_ref().map(UserId::as_str)))
        }
        What::Read { room, user, mark } => out.put(&(room.as_str(), user.as_str(), MarkForm::from(mark))),
        What::Posted { message, own_id, via } => write_posted(change, message, *own_id, via.as_ref(), out),
        What::Revised { message, how } => write_revised(change, message, how, out),
        What::Deleted { room, target, id, by } => {
            out.put(&(room.as_str(), target.0, id.as_str(), by.as_str()))
        }
        What::Erased { room, at, own_id, via } => {
            out.put(&(room.as_str(), at, own_id.as_ref().map(MessageId::as_str), via_form(via.as_ref())))
        }
        What::Trimmed { room, first, seq, at, upto } => out.put(&(room.as_str(), first, seq.0, at, upto.0)),
        What::Skipped { room, count, last, at, via } => {
            out.put(&(room.as_str(), count, last.0, at, via_form(via.as_ref())))
        }
        What::TokenAdded(token) => out.put(&token::Form::from(token)),
        What::TokenRevoked { hash, user } => out.put(&(hash.0, user.as_str())),
        What::DeviceSet(device) => out.put(&device::Form::from(device)),
        What::InvitationSet(invitation) => out.put(&invitation::Form::from(invitation)),
        What::InvitationGone { hash } => out.put(&hash.0),
        What::SettingSet { name, value } => out.put(&(name.as_str(), value.as_str())),
        What::PermissionsSet(table) => out.put(&permissions::Form::from(table)),
        What::ClockSet(set) => {
            let by = set.by.as_ref().map(UserId::as_str);
            out.put(&(set.boot, set.since.0, set.was_ms, set.offset_ms, set.floor_ms, by))
        }
        What::Unknown { bytes, .. } => out.raw(bytes),
        topics => topics::write(topics, out),
    }
}

fn around(minted_at: Seq, origin: &Origin) -> Around {
    Around { minted_at, wall: origin.moment.wall_ms, trusted: origin.moment.trusted }
}

fn write_posted(
    change: &Change,
    message: &Message,
    own_id: bool,
    via: Option<&Via>,
    out: &mut Writer<'_>,
) -> Result<(), RecordError> {
    if message.seq != change.seq {
        return Err(RecordError::OtherSeq);
    }
    // The node that decided it minted the id, so the id carries that node's sequence.
    message::write(message, &around(change.origin.seq, &change.origin), out)?;
    let marks = if own_id { OWN_ID } else { 0 } | if via.is_some() { VIA } else { 0 };
    out.raw(&[marks])?;
    match via_form(via) {
        Some(via) => out.put(&via),
        None => Ok(()),
    }
}

/// A delivery: the bridge, the packet, the digest.
type ViaForm<'a> = (&'a str, u16, [u8; 8]);

fn via_form(via: Option<&Via>) -> Option<ViaForm<'_>> {
    via.map(|via| (via.bridge.as_str(), via.packet, via.digest.to_le_bytes()))
}

fn via_of((bridge, packet, digest): ViaForm<'_>) -> Via {
    Via { bridge: bridge.into(), packet, digest: u64::from_le_bytes(digest) }
}

fn write_revised(
    change: &Change,
    message: &Message,
    how: &Revision,
    out: &mut Writer<'_>,
) -> Result<(), RecordError> {
    out.number(message.seq.0)?;
    message::write(message, &around(message.seq, &change.origin), out)?;
    match how {
        Revision::Edited { by } => out.put(&(REVISION_EDITED, by.as_str())),
        Revision::Reacted { by, emoji, on } => out.put(&(REVISION_REACTED, by.as_str(), emoji.as_str(), *on)),
    }
}

// ---- reading ----

/// Takes what happened, in the layout of this version.
pub(super) fn read(
    (tag, version): (u16, u8),
    seq: Seq,
    origin: &Origin,
    from: &mut Reader<'_>,
) -> Result<What, RecordError> {
    Ok(match tag {
        tag::STARTED => What::Started { version: from.take::<&str>()?.into() },
        tag::USER_ADDED => What::UserAdded(from.take::<user::Form<'_>>()?.try_into()?),
        tag::USER_CHANGED => What::UserChanged(from.take::<user::Form<'_>>()?.try_into()?),
        tag::ROOM_MADE => What::RoomMade(from.take::<room::Form<'_>>()?.try_into()?),
        tag::JOINED => What::Joined(from.take::<membership::Form<'_>>()?.try_into()?),
        tag::MEMBERSHIP_CHANGED => What::MembershipChanged(from.take::<membership::Form<'_>>()?.try_into()?),
        tag::POSTED => read_posted(seq, origin, from)?,
        tag::REVISED => read_revised(origin, from)?,
        tag::TOKEN_ADDED => What::TokenAdded(from.take::<token::Form<'_>>()?.try_into()?),
        tag::DEVICE_SET => What::DeviceSet(device::read(version, from)?),
        tag::INVITATION_SET => What::InvitationSet(from.take::<invitation::Form<'_>>()?.try_into()?),
        tag::INVITATION_GONE => What::InvitationGone { hash: TokenHash(from.take()?) },
        _ => read_small(tag, from)?,
    })
}

/// Those that name nouns and do not carry them.
fn read_small(tag: u16, from: &mut Reader<'_>) -> Result<What, RecordError> {
    Ok(match tag {
        tag::USER_REMOVED => {
            let (user, username) = from.take()?;
            What::UserRemoved { user: form::user_id(user)?, username: form::name(username)? }
        }
        tag::ROOM_CHANGED => {
            let (room, former_name): (room::Form<'_>, _) = from.take()?;
            What::RoomChanged { room: room.try_into()?, former_name: form::name_if(former_name)? }
        }
        tag::ROOM_REMOVED => {
            let (room, name) = from.take()?;
            What::RoomRemoved { room: form::room_id(room)?, name: form::name_if(name)? }
        }
        tag::LEFT => {
            let (room, user, by) = from.take()?;
            What::Left { room: form::room_id(room)?, user: form::user_id(user)?, by: form::user_id_if(by)? }
        }
        tag::READ => {
            let (room, user, mark): (_, _, MarkForm) = from.take()?;
            What::Read { room: form::room_id(room)?, user: form::user_id(user)?, mark: mark.into() }
        }
        tag::DELETED => {
            let (room, target, id, by) = from.take()?;
            let (room, id, by) = (form::room_id(room)?, form::message_id(id)?, form::user_id(by)?);
            What::Deleted { room, target: Seq(target), id, by }
        }
        tag::ERASED => {
            let (room, at, own_id, via): (&str, _, Option<&str>, Option<ViaForm<'_>>) = from.take()?;
            let own_id = own_id.map(form::message_id).transpose()?;
            What::Erased { room: form::room_id(room)?, at, own_id, via: via.map(via_of) }
        }
        tag::TRIMMED => {
            let (room, first, seq, at, upto) = from.take()?;
            What::Trimmed { room: form::room_id(room)?, first, seq: Seq(seq), at, upto: Seq(upto) }
        }
        tag::SKIPPED => {
            let (room, count, last, at, via): (_, _, _, _, Option<ViaForm<'_>>) = from.take()?;
            What::Skipped { room: form::room_id(room)?, count, last: Seq(last), at, via: via.map(via_of) }
        }
        tag::TOKEN_REVOKED => {
            let (hash, user) = from.take()?;
            What::TokenRevoked { hash: TokenHash(hash), user: form::user_id(user)? }
        }
        tag::SETTING_SET => {
            let (name, value): (&str, &str) = from.take()?;
            What::SettingSet { name: name.into(), value: value.into() }
        }
        tag::PERMISSIONS_SET => What::PermissionsSet(from.take::<permissions::Form<'_>>()?.into()),
        tag::CLOCK_SET => {
            let (boot, since, was_ms, offset_ms, floor_ms, by) = from.take()?;
            let by = form::user_id_if(by)?;
            What::ClockSet(ClockSet { boot, since: Seq(since), was_ms, offset_ms, floor_ms, by })
        }
        _ => topics::read(tag, from)?,
    })
}

fn read_posted(seq: Seq, origin: &Origin, from: &mut Reader<'_>) -> Result<What, RecordError> {
    let message = message::read(seq, &around(origin.seq, origin), from)?;
    let marks = from.byte()?;
    if marks & !(OWN_ID | VIA) != 0 {
        return Err(RecordError::Damaged { part: "posting marks" });
    }
    let via = (marks & VIA != 0).then(|| from.take().map(via_of)).transpose()?;
    Ok(What::Posted { message, own_id: marks & OWN_ID != 0, via })
}

fn read_revised(origin: &Origin, from: &mut Reader<'_>) -> Result<What, RecordError> {
    let seq = Seq(from.number()?);
    let message = message::read(seq, &around(seq, origin), from)?;
    let how = match from.byte()? {
        REVISION_EDITED => Revision::Edited { by: form::user_id(from.take()?)? },
        REVISION_REACTED => {
            let (by, emoji, on): (_, &str, _) = from.take()?;
            Revision::Reacted { by: form::user_id(by)?, emoji: emoji.into(), on }
        }
        _ => return Err(RecordError::Damaged { part: "revision" }),
    };
    Ok(What::Revised { message, how })
}
