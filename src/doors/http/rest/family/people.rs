//! Who is in a room.

use super::{Family, reading_room, room_meant, show};
use crate::base::id::UserId;
use crate::base::limits::PAGE_ENTRIES_MAX;
use crate::chat::user::Role;
use crate::doors::http::rest::done;
use crate::doors::http::rest::given::Given;
use crate::doors::http::wire::{room, subscription, user};
use crate::doors::http::{Call, Problem, Reply};
use crate::node::listing::{Listed, Slice, Who};
use serde_json::json;

/// The ids of the users named.
fn ids(call: &Call, users: &[Who]) -> Result<Vec<UserId>, Problem> {
    call.read(|reading, actor| {
        users.iter().map(|who| Ok(reading.user_seen(actor, who)?.id.clone())).collect()
    })
}

/// Brings people in.
pub async fn invite(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = room_meant(&call, &given, of)?;
    let users = ids(&call, &given.users()?)?;
    let room = call.node(move |node, caller| node.invite(caller, &room.id, &users)).await?;
    show(&call, of.one, &room)
}

/// Sends somebody out.
pub async fn kick(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = room_meant(&call, &given, of)?;
    let user = ids(&call, &[given.user()?])?.remove(0);
    let room = call.node(move |node, caller| node.kick(caller, &room.id, &user)).await?;
    show(&call, of.one, &room)
}

/// Leaves.
pub async fn leave(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let room = room_meant(&call, &Given::of(&call)?, of)?;
    let room = call.node(move |node, caller| node.leave_room(caller, &room.id)).await?;
    show(&call, of.one, &room)
}

/// Who is in it.
pub async fn members(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let (slice, wanted) = (given.slice(), given.list("status"));
    let filter = given.word("filter").unwrap_or_default().to_lowercase();
    reading_room(&call, &given, of, |reading, actor, _, granted| {
        let fits = |user: &crate::chat::user::User| {
            let named =
                user.username.folded().contains(&filter) || user.name.to_lowercase().contains(&filter);
            let status = || user::Profile::of(user).status(is_online(&call, user)).to_owned();
            named && (wanted.is_empty() || wanted.contains(&status()))
        };
        let listed = reading.members_seen(actor, &granted.permit, |user, _| fits(user), slice)?;
        let items = listed.items.iter().map(|(user, _)| user::brief(user, is_online(&call, user))).collect();
        Ok(done::page("members", slice, &Listed { items, total: listed.total }))
    })
}

/// Whether a client of this user listens now.
pub fn is_online(call: &Call, user: &crate::chat::user::User) -> bool {
    call.site.node.hub.online(&user.id) > 0
}

const ALL: Slice = Slice { offset: 0, max: PAGE_ENTRIES_MAX };

/// Who is in it and connected.
pub async fn online(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    reading_room(&call, &given, of, |reading, actor, _, granted| {
        let listed = reading.members_seen(actor, &granted.permit, |user, _| is_online(&call, user), ALL)?;
        let online = listed.items.iter().map(|(user, _)| room::Person::from(&**user));
        Ok(done::one("online", online.collect::<Vec<_>>()))
    })
}

/// Who holds which role in it.
pub async fn roles(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    reading_room(&call, &given, of, |reading, actor, room, granted| {
        let holds = |place: &crate::chat::membership::Membership| place.roles.iter().next().is_some();
        let listed = reading.members_seen(actor, &granted.permit, |_, place| holds(place), ALL)?;
        let roles = listed.items.iter().map(|(user, place)| {
            json!({ "_id": subscription::id(&room.id, &user.id), "rid": room.id.as_str(),
                "u": room::Person::from(&**user), "roles": user::roles(place.roles) })
        });
        Ok(done::one("roles", roles.collect::<Vec<_>>()))
    })
}

/// Who moderates it.
pub async fn moderators(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    reading_room(&call, &given, of, |reading, actor, _, granted| {
        let listed =
            reading.members_seen(actor, &granted.permit, |_, place| place.roles.has(Role::Moderator), ALL)?;
        let people = listed.items.iter().map(|(user, _)| room::Person::from(&**user));
        Ok(done::one("moderators", people.collect::<Vec<_>>()))
    })
}

async fn set_role(call: Call, of: &Family, role: Role, on: bool) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = room_meant(&call, &given, of)?;
    let user = ids(&call, &[given.user()?])?.remove(0);
    call.node(move |node, caller| node.set_room_role(caller, &room.id, &user, role, on)).await?;
    Ok(done::nothing())
}

/// Makes somebody an owner.
pub async fn add_owner(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Owner, true).await
}

/// Makes somebody no owner.
pub async fn remove_owner(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Owner, false).await
}

/// Makes somebody a moderator.
pub async fn add_moderator(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Moderator, true).await
}

/// Makes somebody no moderator.
pub async fn remove_moderator(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Moderator, false).await
}

/// Makes somebody a leader.
pub async fn add_leader(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Leader, true).await
}

/// Makes somebody no leader.
pub async fn remove_leader(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_role(call, of, Role::Leader, false).await
}
