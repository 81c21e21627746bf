//! Who is calling, as a door found out, and who that is for the node.

use crate::base::id::UserId;
use crate::base::time::Moment;
use crate::chat::device::{Device, TopicRights};
use crate::chat::name::Name;
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::token::{Token, TokenHash};
use crate::chat::topic::Filter;
use crate::chat::user::{Role, Roles, User};
use crate::node::queue::Lane;
use crate::node::refuse;
use crate::store::index::catalog::Catalog;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::sync::Arc;

/// The user in whose name the node itself and its operator speak.
pub const NODE_USER: UserId = UserId::fixed("linnet");
/// Whoever showed nothing: no user of this id is stored, and no session of it is anybody's in particular.
pub const ANONYMOUS: UserId = UserId::fixed("anonymous");

/// Who is calling. Doors make one; only the node turns it into an [`Actor`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Somebody who showed a token.
    Token(TokenHash),
    /// A device that showed a client certificate with its name.
    Certificate(UserId),
    /// A bridge of this node, by its bot user.
    Bridge(UserId),
    /// Someone with the machine's own rights: the control socket, the node itself.
    Operator,
    /// Somebody on this machine who showed nothing: may have topics and nothing else.
    Anonymous,
}

impl Caller {
    /// The caller who showed this token.
    pub fn with_token(text: &str) -> Self {
        Caller::Token(hash_token(text))
    }

    /// The caller's lane in the writer's queue.
    pub fn lane(&self) -> Lane {
        match self {
            Caller::Token(hash) => lane_of(hash),
            Caller::Certificate(user) => lane_of(&hash_token(user.as_str())),
            Caller::Bridge(_) => 1,
            Caller::Operator => 0,
            Caller::Anonymous => 2,
        }
    }
}

fn lane_of(hash: &TokenHash) -> Lane {
    Lane::from_le_bytes(hash.0[..8].try_into().expect("a hash has 32 bytes"))
}

/// The hash a token is kept and found by.
pub fn hash_token(text: &str) -> TokenHash {
    TokenHash(Sha256::digest(text.as_bytes()).into())
}

/// The token a caller showed, if it is good at this place in the order.
pub fn good_token(books: &dyn Catalog, hash: &TokenHash, now: Moment) -> Result<Token, Refusal> {
    let token = books.token(hash).map_err(refuse)?.ok_or(Refusal::TokenUnknown)?;
    // A time that nobody speaks for ends no session.
    if now.trusted && token.expires.is_some_and(|end| end <= now.wall_ms) {
        return Err(Refusal::TokenUnknown);
    }
    Ok(token)
}

/// Nobody in particular, as a device with rights to topics: all but those of the node and of other devices.
fn anonymous() -> Actor {
    let user = User {
        id: ANONYMOUS,
        // No device can be called so, and no level of a topic.
        username: Name::fixed("/anonymous"),
        name: SmolStr::default(),
        roles: Roles::of(&[Role::Device]),
        active: true,
        password: None,
        email: None,
        created: 0,
        extra: None,
    };
    const ALL: Filter = Filter::fixed("#");
    let topics = TopicRights {
        publish: vec![ALL],
        subscribe: vec![ALL, Filter::fixed("$SYS/#")],
        command: Vec::new(),
    };
    let device = Device {
        user: ANONYMOUS,
        bindings: Vec::new(),
        topics,
        certificate: false,
        added_by: None,
        created: 0,
    };
    Actor { user: user.into(), device: Some(device.into()), permissions: Arc::default() }
}

/// Who the caller is at this place in the order.
pub fn actor(books: &dyn Catalog, caller: &Caller, now: Moment) -> Result<Actor, Refusal> {
    let id = match caller {
        Caller::Token(hash) => good_token(books, hash, now)?.user,
        Caller::Certificate(user) | Caller::Bridge(user) => user.clone(),
        Caller::Operator => NODE_USER,
        Caller::Anonymous => return Ok(anonymous()),
    };
    let user = books.user(&id).map_err(refuse)?.ok_or(Refusal::TokenUnknown)?;
    if !user.active {
        return Err(Refusal::UserInactive);
    }
    let device = books.device(&id).map_err(refuse)?;
    if device.is_none() && user.is(crate::chat::user::Role::Device) {
        // A device without its record has no rights at all.
        return Err(Refusal::TokenUnknown);
    }
    let by_certificate = matches!(caller, Caller::Certificate(_));
    if by_certificate && !device.as_ref().is_some_and(|device| device.certificate) {
        return Err(Refusal::TokenUnknown);
    }
    let permissions = books.permissions().map_err(refuse)?.into();
    Ok(Actor { user, device, permissions })
}
