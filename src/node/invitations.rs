//! Codes: how somebody becomes the owner of the node, or a user of it.

use crate::base::id::{RoomId, random_text};
use crate::base::limits::{INVITATIONS_MAX, OWNER_CODE_CHARS_MAX, OWNER_CODE_LIFE_MS};
use crate::base::time::WallMs;
use crate::chat::change::What;
use crate::chat::invitation::{Invitation, InvitationKind};
use crate::chat::message::{Draft, MessageKind};
use crate::chat::name::Text;
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::Room;
use crate::chat::token::TokenHash;
use crate::chat::user::{Role, Roles, User};
use crate::node::accounts::{NewUser, OWNER};
use crate::node::caller::{Caller, hash_token};
use crate::node::clock::Clock;
use crate::node::{Node, Reading, refuse};
use crate::store::index::catalog::Catalog;
use std::sync::Arc;

/// Characters of a code: 14 of an alphabet of 55 are a little over 80 bits.
const CODE_CHARS: usize = 14;

/// Codes are compared without the dashes that make them readable.
pub(super) fn bare(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).collect()
}

/// `abcdefgh` as `abcd-efgh`.
fn dashed(code: &str) -> String {
    let chunks: Vec<&str> =
        code.as_bytes().chunks(4).filter_map(|chunk| std::str::from_utf8(chunk).ok()).collect();
    chunks.join("-")
}

impl Node {
    /// A fresh owner code; the one before it is no longer good. Only while nobody owns the node.
    pub fn make_owner_code(&mut self, caller: &Caller) -> Result<String, Refusal> {
        self.end_owner_codes(caller, None)?;
        let ends = self.now().wall_ms + OWNER_CODE_LIFE_MS;
        self.make_code(InvitationKind::Owner, None, Some(ends), 1)
    }

    /// Takes an owner code that whoever set up the machine has chosen; the one before it is no longer good. It is good
    /// until it is used or another takes its place: its paper may be read days later.
    pub fn keep_owner_code(&mut self, caller: &Caller, code: &str) -> Result<String, Refusal> {
        let code = bare(code);
        if !(CODE_CHARS..=OWNER_CODE_CHARS_MAX).contains(&code.len()) {
            return Err(Refusal::Invalid { what: "owner code", want: "14 to 64 letters and digits" });
        }
        // The same code at every start is no Change.
        if !self.end_owner_codes(caller, Some(hash_token(&code)))? {
            self.set_code(&code, InvitationKind::Owner, None, None, 1)?;
        }
        Ok(dashed(&code))
    }

    /// Ends all owner codes but this one, and says whether that one is there. Only while nobody owns the node.
    fn end_owner_codes(&mut self, caller: &Caller, but: Option<TokenHash>) -> Result<bool, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageNode)?;
        if self.setting(OWNER).map_err(refuse)?.is_some() {
            return Err(Refusal::OwnerExists);
        }
        let mut there = false;
        for old in self.invitations(INVITATIONS_MAX).map_err(refuse)? {
            if old.kind == InvitationKind::Owner && Some(old.hash) == but && old.expires.is_none() {
                there = true;
            } else if old.kind == InvitationKind::Owner {
                self.append(What::InvitationGone { hash: old.hash })?;
            }
        }
        Ok(there)
    }

    /// An invitation into a room, and with it to the node. Those who keep the room may make one.
    pub fn invite_by_code(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        ends: Option<WallMs>,
        uses_max: u32,
    ) -> Result<String, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let permit = policy::may_invite_by_code(&actor, &room, membership.as_ref())?;
        let by = Some(actor.user.id.clone());
        self.make_code(InvitationKind::Join(permit.room().clone()), by, ends, uses_max)
    }

    /// Takes back an invitation by its public id: whoever made it may, and who runs the node.
    pub fn remove_invitation(&mut self, caller: &Caller, id: &str) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        let known = self.invitations(INVITATIONS_MAX).map_err(refuse)?;
        let found = known.into_iter().find(|known| known.id == id && known.kind != InvitationKind::Owner);
        let own = found.as_ref().is_some_and(|found| found.by.as_ref() == Some(&actor.user.id));
        if !own {
            policy::may_administer(&actor, Right::ManageNode)?;
        }
        let hash = found.ok_or(Refusal::CodeUnknown)?.hash;
        self.append(What::InvitationGone { hash })?;
        Ok(())
    }

    fn make_code(
        &mut self,
        kind: InvitationKind,
        by: Option<crate::base::id::UserId>,
        expires: Option<WallMs>,
        uses_max: u32,
    ) -> Result<String, Refusal> {
        let code = random_text(self.world(), CODE_CHARS);
        self.set_code(&code, kind, by, expires, uses_max)?;
        Ok(dashed(&code))
    }

    fn set_code(
        &mut self,
        code: &str,
        kind: InvitationKind,
        by: Option<crate::base::id::UserId>,
        expires: Option<WallMs>,
        uses_max: u32,
    ) -> Result<(), Refusal> {
        let known = self.invitations(INVITATIONS_MAX).map_err(refuse)?;
        let (good, ended): (Vec<_>, Vec<_>) = known.iter().partition(|known| is_good(known, &self.clock));
        for ended in ended {
            self.append(What::InvitationGone { hash: ended.hash })?;
        }
        if good.len() >= INVITATIONS_MAX {
            return Err(Refusal::TooMany { what: "invitations", max: INVITATIONS_MAX });
        }
        let id = random_text(self.world(), 8).into();
        let hash = hash_token(code);
        let invitation =
            Invitation { hash, kind, id, by, created: self.now().wall_ms, expires, uses_max, uses: 0 };
        if let Some(expires) = expires {
            self.clock.note_code(hash, expires);
        }
        self.append(What::InvitationSet(invitation))?;
        Ok(())
    }

    /// Makes the bearer of the owner code the owner of the node, and says so in the room with where they came from.
    pub fn claim(&mut self, code: &str, mut new: NewUser, from: &str) -> Result<Arc<User>, Refusal> {
        if self.setting(OWNER).map_err(refuse)?.is_some() {
            return Err(Refusal::OwnerExists);
        }
        let invitation = self.use_code(code, |kind| *kind == InvitationKind::Owner)?;
        debug_assert_eq!(invitation.kind, InvitationKind::Owner);
        new.roles = Roles::of(&[Role::Admin, Role::User]);
        new.join_default_rooms = true;
        let user = self.make_user(new)?;
        let text = format!("{} claimed this node from {from}.", user.username);
        self.say_as_node(&Room::GENERAL, &text)?;
        Ok(user)
    }

    /// Makes the bearer of an invitation a user and a member of its room.
    pub fn join_by_code(&mut self, code: &str, mut new: NewUser) -> Result<Arc<User>, Refusal> {
        let invitation = self.use_code(code, |kind| matches!(kind, InvitationKind::Join(_)))?;
        new.roles = Roles::of(&[Role::User]);
        let user = self.make_user(new)?;
        if let InvitationKind::Join(room) = &invitation.kind {
            self.enter_by_invitation(&user, room)?;
        }
        Ok(user)
    }

    /// Brings a user who has an account into the room of an invitation.
    pub fn enter_by_code(&mut self, caller: &Caller, code: &str) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_create_tokens(&actor)?;
        let invitation = self.use_code(code, |kind| matches!(kind, InvitationKind::Join(_)))?;
        let InvitationKind::Join(room) = &invitation.kind else { return Err(Refusal::CodeUnknown) };
        self.enter_by_invitation(&actor.user, room)?;
        self.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)
    }

    fn enter_by_invitation(&mut self, user: &Arc<User>, room: &RoomId) -> Result<(), Refusal> {
        // The room may be gone since the invitation was made; then they are a user all the same.
        let Some(room) = self.room(room).map_err(refuse)? else { return Ok(()) };
        if self.membership(&room.id, &user.id).map_err(refuse)?.is_none() {
            self.enter(user, &room, Roles::NONE)?;
        }
        Ok(())
    }

    fn use_code(
        &mut self,
        code: &str,
        fits: impl Fn(&InvitationKind) -> bool,
    ) -> Result<Invitation, Refusal> {
        let hash = hash_token(&bare(code));
        let found = self.invitation(&hash).map_err(refuse)?.ok_or(Refusal::CodeUnknown)?;
        if !fits(&found.kind) || !is_good(&found, &self.clock) {
            return Err(Refusal::CodeUnknown);
        }
        let used = Invitation { uses: found.uses + 1, ..found };
        let change = match used.uses_max {
            0 => What::InvitationSet(used.clone()),
            max if used.uses < max => What::InvitationSet(used.clone()),
            _ => What::InvitationGone { hash },
        };
        self.append(change)?;
        Ok(used)
    }

    /// Something the node itself says.
    pub(super) fn say_as_node(&mut self, room: &RoomId, text: &str) -> Result<(), Refusal> {
        let actor = self.actor(&Caller::Operator)?;
        let Some(room) = self.room(room).map_err(refuse)? else { return Ok(()) };
        let permit = policy::may_post(&actor, &room, None)?;
        let draft = Draft { text: Text::parse(text)?, ..Draft::default() };
        self.say(permit, &actor, MessageKind::Said, draft, None)?;
        Ok(())
    }
}

impl Reading {
    /// Whether a code could be used now: asked before work is done for whoever brings it.
    pub fn code_is_good(&self, code: &str) -> Result<(), Refusal> {
        let found = self.invitation(&hash_token(&bare(code))).map_err(refuse)?;
        let good = found.is_some_and(|found| is_good(&found, self.clock()));
        if good { Ok(()) } else { Err(Refusal::CodeUnknown) }
    }
}

/// Whether a code can still be used.
pub fn is_good(invitation: &Invitation, clock: &Clock) -> bool {
    let lives = |expires| clock.code_lives(&invitation.hash, invitation.created..expires);
    let lives = invitation.expires.is_none_or(lives);
    let unused = invitation.uses_max == 0 || invitation.uses < invitation.uses_max;
    lives && unused
}
