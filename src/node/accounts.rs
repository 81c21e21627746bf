//! Who is here: users, their tokens and their roles.

use crate::base::id::UserId;
use crate::base::limits::{GUESTS_MAX, SESSION_LIFE_MS, TOKENS_PER_USER_MAX};
use crate::chat::change::What;
use crate::chat::name::{Name, Opaque, line};
use crate::chat::policy::{self, Actor};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::token::{Token, TokenHash, TokenKind};
use crate::chat::user::{Role, Roles, User};
use crate::node::caller::{Caller, NODE_USER, hash_token};
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use smol_str::SmolStr;
use std::sync::Arc;

/// The setting that names the user who owns the node.
pub const OWNER: &str = "owner";
/// The setting that says who may come in: [`LAN_GUESTS`] or anything else.
pub const ACCESS: &str = "access";
/// The value of [`ACCESS`] that lets in guests from private addresses.
pub const LAN_GUESTS: &str = "lan-guests";

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id, where it is fixed; else one is minted.
    pub id: Option<UserId>,
    /// The name in addresses.
    pub username: Name,
    /// The name shown; the username when empty.
    pub name: SmolStr,
    /// Roles on the node.
    pub roles: Roles,
    /// The PHC string of the password's hash.
    pub password: Option<SmolStr>,
    /// An e-mail address.
    pub email: Option<SmolStr>,
    /// Whether they join the rooms everyone is in.
    pub join_default_rooms: bool,
    /// What a client keeps with the user.
    pub extra: Option<Opaque>,
}

impl NewUser {
    /// A person with a name and a password.
    pub fn person(username: Name, name: &str, password: SmolStr) -> Self {
        Self {
            id: None,
            username,
            name: line(name),
            roles: Roles::of(&[Role::User]),
            password: Some(password),
            email: None,
            join_default_rooms: true,
            extra: None,
        }
    }

    /// A program or device without a password.
    pub fn without_password(username: Name, role: Role) -> Self {
        let name = SmolStr::new(username.as_str());
        let roles = Roles::of(&[role]);
        Self {
            id: None,
            username,
            name,
            roles,
            password: None,
            email: None,
            join_default_rooms: false,
            extra: None,
        }
    }
}

/// What changes about a user; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// The name in addresses.
    pub username: Option<Name>,
    /// The name shown.
    pub name: Option<SmolStr>,
    /// The PHC string of a new password's hash; ends every session of the user.
    pub password: Option<SmolStr>,
    /// An e-mail address; an empty one takes it away.
    pub email: Option<SmolStr>,
    /// Roles on the node.
    pub roles: Option<Roles>,
    /// Whether it may log in and act.
    pub active: Option<bool>,
    /// What clients keep here.
    pub extra: Option<Opaque>,
}

impl UserPatch {
    /// Whether only things change that users may change about themselves.
    fn is_own_business(&self) -> bool {
        self.roles.is_none() && self.active.is_none()
    }
}

impl Node {
    /// Adds a user in an administrator's name.
    pub fn add_user(&mut self, caller: &Caller, new: NewUser) -> Result<Arc<User>, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageUsers)?;
        stays_what_it_is(Roles::NONE, new.roles)?;
        self.make_user(new)
    }

    /// Makes a user. Callers have shown the right to: an administrator's, a code, or guests are let in.
    pub(super) fn make_user(&mut self, new: NewUser) -> Result<Arc<User>, Refusal> {
        self.name_is_free(&new.username)?;
        if let Some(email) = &new.email {
            self.email_is_free(email)?;
        }
        let name = if new.name.is_empty() { SmolStr::new(new.username.as_str()) } else { new.name };
        let user = Arc::new(User {
            id: new.id.unwrap_or_else(|| UserId::mint(self.world())),
            username: new.username,
            name,
            roles: new.roles,
            active: true,
            password: new.password,
            email: new.email.filter(|email| !email.is_empty()),
            created: self.now().wall_ms,
            extra: new.extra,
        });
        self.append(What::UserAdded((*user).clone()))?;
        if user.is(Role::Admin) && user.id != NODE_USER && self.setting(OWNER).map_err(refuse)?.is_none() {
            self.set(OWNER, user.id.as_str())?;
        }
        if new.join_default_rooms {
            self.enter_default_rooms(&user)?;
        }
        self.gather(None, &user)?;
        Ok(user)
    }

    fn name_is_free(&self, name: &Name) -> Result<(), Refusal> {
        let taken = self.user_named(name.as_str()).map_err(refuse)?.is_some();
        // Mentions of these speak to many.
        let reserved = ["all", "here", "admin", "administrator", "system"].contains(&name.folded().as_str());
        if taken || reserved { Err(Refusal::UsernameTaken(name.as_str().into())) } else { Ok(()) }
    }

    /// One address leads to one user: else whoever enters a known address shuts its owner out of logging in with it.
    fn email_is_free(&self, email: &str) -> Result<(), Refusal> {
        match self.user_of_email(email).map_err(refuse)? {
            Some(_) => Err(Refusal::UsernameTaken(email.into())),
            None => Ok(()),
        }
    }

    /// Lets a visitor in, if the owner allows guests. The door has checked that they come from a private address.
    pub fn add_guest(&mut self, username: Name, name: &str) -> Result<Arc<User>, Refusal> {
        if self.setting(ACCESS).map_err(refuse)?.as_deref() != Some(LAN_GUESTS) {
            return Err(Refusal::GuestsNotLetIn);
        }
        let guests = self.users(None, crate::base::limits::SCAN_ENTRIES_MAX).map_err(refuse)?;
        if guests.iter().filter(|user| user.is(Role::Guest)).count() >= GUESTS_MAX {
            return Err(Refusal::TooMany { what: "guests", max: GUESTS_MAX });
        }
        let mut new = NewUser::without_password(username, Role::Guest);
        new.name = line(name);
        new.join_default_rooms = true;
        self.make_user(new)
    }

    /// Changes a user: their own name, password or picture, or anything by an administrator.
    pub fn change_user(
        &mut self,
        caller: &Caller,
        id: &UserId,
        patch: UserPatch,
    ) -> Result<Arc<User>, Refusal> {
        let actor = self.actor(caller)?;
        let own = actor.user.id == *id && patch.is_own_business() && actor.device.is_none();
        if !own {
            policy::may_administer(&actor, Right::ManageUsers)?;
        }
        let user = self.changeable_user(id)?;
        let mut changed = (*user).clone();
        if let Some(username) = patch.username.filter(|name| *name != user.username) {
            if username.folded() != user.username.folded() {
                self.name_is_free(&username)?;
            }
            changed.username = username;
        }
        changed.name = patch.name.unwrap_or(changed.name);
        changed.roles = patch.roles.unwrap_or(changed.roles);
        stays_what_it_is(user.roles, changed.roles)?;
        changed.active = patch.active.unwrap_or(changed.active);
        changed.extra = patch.extra.or(changed.extra);
        if let Some(email) = patch.email {
            let known = user.email.as_ref().map(|known| known.to_lowercase());
            if known.as_deref() != Some(&email.to_lowercase()) {
                self.email_is_free(&email)?;
            }
            changed.email = Some(email).filter(|email| !email.is_empty());
        }
        let new_password = patch.password.is_some();
        changed.password = patch.password.or(changed.password);
        self.keeps_an_admin(&user, &changed)?;
        if changed != *user {
            self.append(What::UserChanged(changed.clone()))?;
        }
        if new_password || !changed.active {
            self.end_sessions(id, caller)?;
        }
        let changed = Arc::new(changed);
        self.gather(Some(&user), &changed)?;
        Ok(changed)
    }

    /// The user the node itself speaks as stays as it is: the control socket depends on it.
    fn changeable_user(&self, id: &UserId) -> Result<Arc<User>, Refusal> {
        match *id == NODE_USER {
            true => Err(Refusal::NotAllowed(Right::ManageUsers)),
            false => self.user(id).map_err(refuse)?.ok_or(Refusal::NoSuchUser),
        }
    }

    /// The node's owner cannot lose the right to run it.
    fn keeps_an_admin(&self, user: &User, changed: &User) -> Result<(), Refusal> {
        let loses = user.is(Role::Admin) && !(changed.is(Role::Admin) && changed.active);
        let owner = self.setting(OWNER).map_err(refuse)?;
        if loses && owner.as_deref() == Some(user.id.as_str()) { Err(Refusal::LastOwner) } else { Ok(()) }
    }

    /// Ends every session of a user but the caller's own.
    pub(super) fn end_sessions(&mut self, user: &UserId, but: &Caller) -> Result<(), Refusal> {
        for token in self.tokens_of(user).map_err(refuse)? {
            if token.kind == TokenKind::Session && *but != Caller::Token(token.hash) {
                self.append(What::TokenRevoked { hash: token.hash, user: user.clone() })?;
            }
        }
        Ok(())
    }

    /// Ends the caller's other sessions.
    pub fn end_other_sessions(&mut self, caller: &Caller) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        self.end_sessions(&actor.user.id, caller)
    }

    /// Removes a user with everything that is theirs; what they said stays.
    pub fn remove_user(&mut self, caller: &Caller, id: &UserId) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        if actor.user.id != *id || actor.device.is_some() {
            policy::may_administer(&actor, Right::ManageUsers)?;
        }
        let user = self.changeable_user(id)?;
        self.keeps_an_admin(&user, &User { active: false, ..(*user).clone() })?;
        self.append(What::UserRemoved { user: id.clone(), username: user.username.clone() })?;
        Ok(())
    }

    /// Opens a session for a user whose password or code was checked. The text is told once and never kept.
    pub fn open_session(&mut self, id: &UserId) -> Result<(String, Token), Refusal> {
        let user = self.user(id).map_err(refuse)?.ok_or(Refusal::LoginWrong)?;
        if !user.active {
            return Err(Refusal::UserInactive);
        }
        // While nobody speaks for the clock a session has no end: it gets one when somebody does.
        let now = self.now();
        let ends = now.trusted.then_some(now.wall_ms + SESSION_LIFE_MS);
        self.make_token(id, TokenKind::Session, SmolStr::default(), ends, "")
    }

    /// Makes a token for a user, in an administrator's name or their own.
    pub fn create_token(&mut self, caller: &Caller, id: &UserId) -> Result<(String, Token), Refusal> {
        let actor = self.actor(caller)?;
        if actor.user.id != *id || actor.device.is_some() {
            policy::may_administer(&actor, Right::ManageUsers)?;
        }
        self.open_session(id)
    }

    /// Makes a personal access token with a name of its own.
    pub fn add_personal_token(&mut self, caller: &Caller, name: &str) -> Result<(String, Token), Refusal> {
        let actor = self.actor(caller)?;
        policy::may_create_tokens(&actor)?;
        let name = line(name);
        if name.is_empty() || self.personal_token(&actor, &name)?.is_some() {
            return Err(Refusal::Invalid { what: "tokenName", want: "a name no other of your tokens has" });
        }
        self.make_token(&actor.user.id, TokenKind::Personal, name, None, "")
    }

    /// Takes back a personal access token.
    pub fn remove_personal_token(&mut self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        let token = self.personal_token(&actor, name)?.ok_or(Refusal::NoSuchToken)?;
        self.append(What::TokenRevoked { hash: token.hash, user: actor.user.id.clone() })?;
        Ok(())
    }

    fn personal_token(&self, actor: &Actor, name: &str) -> Result<Option<Token>, Refusal> {
        let tokens = self.tokens_of(&actor.user.id).map_err(refuse)?;
        Ok(tokens.into_iter().find(|token| token.kind == TokenKind::Personal && token.name == name))
    }

    /// Ends the session or takes back the token of this caller. A device's key stays until the device is removed: one
    /// that may travel in an address must not let others end it.
    pub fn log_out(&mut self, caller: &Caller) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        if actor.device.is_some() {
            return Err(Refusal::NotAllowed(Right::ManageDevices));
        }
        if let Caller::Token(hash) = caller {
            self.append(What::TokenRevoked { hash: *hash, user: actor.user.id.clone() })?;
        }
        Ok(())
    }

    /// Makes a token of 256 random bits. The user's oldest session goes when there would be too many.
    pub(super) fn make_token(
        &mut self,
        user: &UserId,
        kind: TokenKind,
        name: SmolStr,
        expires: Option<u64>,
        prefix: &str,
    ) -> Result<(String, Token), Refusal> {
        let mut own = self.tokens_of(user).map_err(refuse)?;
        if own.len() >= TOKENS_PER_USER_MAX {
            own.retain(|token| token.kind == TokenKind::Session);
            let oldest = own.iter().min_by_key(|token| token.created);
            let oldest = oldest.ok_or(Refusal::TooMany { what: "tokens", max: TOKENS_PER_USER_MAX })?;
            self.append(What::TokenRevoked { hash: oldest.hash, user: user.clone() })?;
        }
        let text = format!("{prefix}{}", self.random_secret());
        let tail = text[text.len() - 6..].into();
        let hash: TokenHash = hash_token(&text);
        let token =
            Token { hash, user: user.clone(), kind, name, tail, created: self.now().wall_ms, expires };
        self.append(What::TokenAdded(token.clone()))?;
        Ok((text, token))
    }

    /// 43 characters of base64url: 256 bits of chance, in the form Rocket.Chat's tokens have.
    fn random_secret(&self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bytes = [0u8; 43];
        self.world().fill(&mut bytes);
        bytes.iter().map(|byte| LETTERS[(byte & 63) as usize] as char).collect()
    }

    /// Sets a setting in an administrator's name.
    pub fn change_setting(&mut self, caller: &Caller, name: &str, value: &str) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageNode)?;
        self.set(name, value)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        self.append(What::SettingSet { name: name.into(), value: value.into() })?;
        Ok(())
    }
}

/// Devices are added and removed with their bindings; no person becomes one, and none a person.
fn stays_what_it_is(before: Roles, now: Roles) -> Result<(), Refusal> {
    match before.has(Role::Device) == now.has(Role::Device) {
        true => Ok(()),
        false => Err(Refusal::Invalid { what: "roles", want: "no change of the role 'device'" }),
    }
}
