//! A room as one of its members sees it: what clients call a subscription.

use super::date::Date;
use super::room::{Person, letter};
use super::{Dates, user};
use crate::base::id::{RoomId, UserId};
use crate::chat::refusal::Refusal;
use crate::chat::room::RoomKind;
use crate::chat::user::User;
use crate::node::reading::Place;
use crate::node::{Catalog, refuse};
use serde::Serialize;

/// A subscription in the form of section 5.3 of the API, ready to be written.
#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    #[serde(rename = "_id")]
    id: String,
    rid: &'a str,
    u: Person,
    t: &'static str,
    name: String,
    fname: String,
    open: bool,
    alert: bool,
    unread: u64,
    user_mentions: u64,
    group_mentions: u64,
    ts: Date,
    ls: Date,
    lr: Date,
    f: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
    #[serde(rename = "_updatedAt")]
    updated: Date,
}

/// The id of a user's subscription to a room. linnet keeps none: it follows from both.
pub fn id(room: &RoomId, user: &UserId) -> String {
    format!("{room}-{user}")
}

/// The place as clients know it. `owner` is the member whose place it is.
pub fn shown<'a>(
    place: &'a Place,
    owner: &User,
    books: &dyn Catalog,
    dates: Dates,
) -> Result<Shown<'a>, Refusal> {
    let (room, membership) = (&*place.room, &place.membership);
    let (name, fname) = names(place, owner, books)?;
    let unread = place.unread();
    let seen = place.mark.at.max(membership.joined);
    Ok(Shown {
        id: id(&room.id, &owner.id),
        rid: room.id.as_str(),
        u: Person::from(owner),
        t: letter(room.kind),
        name,
        fname,
        open: membership.open,
        alert: unread > 0,
        unread,
        // What is said in a direct room is said to them.
        user_mentions: if room.kind == RoomKind::Direct { unread } else { 0 },
        group_mentions: 0,
        ts: dates.date(membership.joined),
        ls: dates.date(seen),
        lr: dates.date(seen),
        f: membership.favourite,
        roles: user::roles(membership.roles),
        archived: room.archived,
        updated: dates.date(updated(place)),
    })
}

/// When something about the place last changed, as far as it is kept.
pub fn updated(place: &Place) -> u64 {
    place.mark.at.max(place.membership.joined).max(place.tail.at)
}

/// What a room is called in a member's list: its name, or the others in a direct room.
fn names(place: &Place, owner: &User, books: &dyn Catalog) -> Result<(String, String), Refusal> {
    let room = &*place.room;
    if let Some(name) = &room.name {
        return Ok((name.to_string(), name.to_string()));
    }
    let mut others: Vec<&UserId> = room.people.iter().filter(|id| **id != owner.id).collect();
    if others.is_empty() {
        others.push(&owner.id);
    }
    let (mut usernames, mut names) = (Vec::new(), Vec::new());
    for id in others {
        if let Some(user) = books.user(id).map_err(refuse)? {
            usernames.push(user.username.to_string());
            names.push(user.name.to_string());
        }
    }
    Ok((usernames.join(", "), names.join(", ")))
}
