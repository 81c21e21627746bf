//! What a black-box suite expects of a Rocket.Chat in test mode: well-known accounts in a folder of its own.

use crate::base::id::UserId;
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::user::{Role, Roles};
use crate::node::accounts::NewUser;
use crate::node::passwords::Digested;
use crate::node::{Caller, Catalog, NodeHandle, refuse};

/// The admin's `_id`, username and password.
const ADMIN: &str = "rocketchat.internal.admin.test";
const BOT: &str = "rocket.cat";

/// Makes the accounts that are not there yet.
pub async fn prepare(node: &NodeHandle) -> Result<(), Refusal> {
    let missing = |id: &UserId| node.read(|reading| Ok(reading.user(id).map_err(refuse)?.is_none()));
    let (admin, bot) = (UserId::fixed(ADMIN), UserId::fixed(BOT));
    if missing(&admin)? {
        let password = node.passwords().hash(Digested::of_plain(ADMIN)?).await?;
        let mut new = NewUser::person(Name::fixed(ADMIN), "RocketChat Internal Admin Test", password);
        new.id = Some(admin);
        new.roles = Roles::of(&[Role::Admin, Role::User]);
        new.email = Some("rocketchat.internal.admin.test@rocket.chat".into());
        node.call(&Caller::Operator, move |node| node.add_user(&Caller::Operator, new)).await?;
    }
    if missing(&bot)? {
        let mut new = NewUser::without_password(Name::fixed(BOT), Role::Bot);
        new.id = Some(bot);
        new.name = "Rocket.Cat".into();
        new.join_default_rooms = true;
        node.call(&Caller::Operator, move |node| node.add_user(&Caller::Operator, new)).await?;
    }
    Ok(())
}
