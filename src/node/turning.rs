//! Turning the clock. A turn is a Change: it says what the times since an earlier Change should have been, and every
//! reader shows them so from then on. What lives for a while, codes and sessions, lives on.

use crate::base::limits::{PAGE_ENTRIES_MAX, SESSION_LIFE_MS, SESSIONS_DATED_MAX};
use crate::base::time::WallMs;
use crate::chat::change::{ClockSet, What};
use crate::chat::invitation::Invitation;
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::token::{Token, TokenKind};
use crate::chat::user::User;
use crate::node::caller::Caller;
use crate::node::clock::{Standing, Turn};
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
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
        self.date_codes()?;
        self.date_sessions()?;
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
