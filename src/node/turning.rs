//! Turning the clock. A turn is a Change: it says what the times since an earlier Change should have been, and every
//! reader shows them so from then on. What lives for a while, codes and sessions, lives on.

use crate::base::limits::{
    CLOCK_STEP_MAX_MS, JOURNAL_GROUP_BYTES_MAX, PAGE_ENTRIES_MAX, SESSION_LIFE_MS, SESSIONS_DATED_MAX,
};
use crate::base::time::WallMs;
use crate::chat::change::{ClockSet, What};
use crate::chat::invitation::Invitation;
use crate::chat::membership::Membership;
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::Room;
use crate::chat::token::{Token, TokenKind};
use crate::chat::user::User;
use crate::node::caller::Caller;
use crate::node::clock::{Dated, Standing, State, Turn};
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use crate::store::record::turned::Turned;
use std::sync::Arc;

impl Node {
    /// Sets the time in an administrator's name, while the machine has none that can be believed. A time server that
    /// comes later knows better.
    pub fn set_clock(&mut self, caller: &Caller, to: WallMs) -> Result<Standing, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageNode)?;
        let turn = self.clock.set_by_person(to)?;
        self.turn_clock(turn, Some(&actor.user))?;
        Ok(self.clock.standing())
    }

    /// Turns the clock if somebody says better. Every job does it first; somebody has to ask while there is none.
    pub fn look_at_clock(&mut self) {
        if let Some(turn) = self.clock.due()
            && let Err(refusal) = self.run_job(|node| node.turn_clock(turn, None))
        {
            tracing::error!(?refusal, "the clock could not be turned");
        }
    }

    fn turn_clock(&mut self, turn: Turn, by: Option<&Arc<User>>) -> Result<(), Refusal> {
        let next = self.next_seq();
        let newest = self.newest_time().map_err(refuse)?;
        // A job that is refused in the end takes this back too.
        let before = self.clock.turn(turn, next, newest);
        let now = self.now();
        self.append(What::ClockSet(ClockSet {
            boot: now.boot,
            since: before.since.unwrap_or(next),
            was_ms: before.offset_ms,
            offset_ms: now.wall_ms as i64 - now.mono_ms as i64,
            floor_ms: before.since.map_or(newest, |_| before.floor_ms),
            by: by.map(|user| user.id.clone()),
        }))?;
        self.forget_future()?;
        self.date_codes()?;
        self.date_sessions()?;
        self.with_reserve(|node| node.date_rooms(&before))?;
        match by {
            Some(user) => self.say_to_admins(&format!("Clock set by {}.", user.username)),
            None => Ok(()),
        }
    }

    /// Codes given out since the start live as long as they were to.
    fn date_codes(&mut self) -> Result<(), Refusal> {
        let now = self.now().wall_ms;
        for (hash, left_ms) in self.clock.codes() {
            let Some(code) = self.invitation(&hash).map_err(refuse)? else { continue };
            let Some(ends) = code.expires else { continue };
            let life = ends.saturating_sub(code.created);
            let expires = now + left_ms;
            let created = expires.saturating_sub(life);
            self.append(What::InvitationSet(Invitation { created, expires: Some(expires), ..code }))?;
        }
        Ok(())
    }

    /// Rooms and memberships that were made since the start show when they were made.
    fn date_rooms(&mut self, before: &State) -> Result<(), Refusal> {
        let Some(since) = before.since else { return Ok(()) };
        let now = self.now();
        let turned = Turned {
            since,
            was_ms: before.offset_ms,
            is_ms: now.wall_ms as i64 - now.mono_ms as i64,
            floor_ms: before.floor_ms,
            trusted: now.trusted,
        };
        for dated in self.clock.dated() {
            if self.forming_bytes() > JOURNAL_GROUP_BYTES_MAX / 2 {
                tracing::warn!("some rooms keep dates by a clock that was not set");
                break;
            }
            match dated {
                Dated::Room(id) => {
                    let Some(room) = self.room(&id).map_err(refuse)? else { continue };
                    let created = turned.shown(room.created);
                    if created != room.created {
                        let room = Room { created, ..(*room).clone() };
                        self.append(What::RoomChanged { room, former_name: None })?;
                    }
                }
                Dated::Place(room, user) => {
                    let Some(place) = self.membership(&room, &user).map_err(refuse)? else { continue };
                    let joined = turned.shown(place.joined);
                    if joined != place.joined {
                        self.append(What::MembershipChanged(Membership { joined, ..place }))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Times in the store that lie ahead of the one that is known now were wrong: they say nothing of later starts.
    pub(super) fn forget_future(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        let newest = self.newest_time().map_err(refuse)?;
        if !now.trusted || newest <= now.wall_ms + CLOCK_STEP_MAX_MS {
            return Ok(());
        }
        tracing::warn!(newest_ms = newest, now_ms = now.wall_ms, "times in the store lie in the future");
        let offset_ms = now.wall_ms as i64 - now.mono_ms as i64;
        // It corrects nothing: its stretch is empty.
        let since = self.next_seq();
        self.append(What::ClockSet(ClockSet {
            boot: now.boot,
            since,
            was_ms: offset_ms,
            offset_ms,
            floor_ms: 0,
            by: None,
        }))?;
        Ok(())
    }

    /// Sessions opened while nobody spoke for the clock end like all others from now on. Those beyond
    /// [`SESSIONS_DATED_MAX`] wait for the next start.
    pub(super) fn date_sessions(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        let (mut after, mut dated) = (None, 0);
        while now.trusted && dated < SESSIONS_DATED_MAX {
            let page = self.tokens(after.as_ref(), PAGE_ENTRIES_MAX).map_err(refuse)?;
            let Some(last) = page.last() else { break };
            after = Some(last.hash);
            let endless = |token: &Token| token.kind == TokenKind::Session && token.expires.is_none();
            for token in page.into_iter().filter(endless) {
                let expires = Some(now.wall_ms + SESSION_LIFE_MS);
                self.append(What::TokenAdded(Token { created: now.wall_ms, expires, ..token }))?;
                dated += 1;
            }
        }
        Ok(())
    }
}
