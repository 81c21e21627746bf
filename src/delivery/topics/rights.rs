//! What the order of the journal does to those who listen to topics: it brings what is kept, and ends rights at their
//! place.

use super::places::Places;
use super::seat::TopicWho;
use crate::base::id::UserId;
use crate::chat::change::What;
use crate::chat::policy::{self, Actor};
use crate::chat::token::TokenHash;
use crate::delivery::rights::{Ended, ending};
use crate::delivery::tail::{Entry, Tail};
use std::sync::Arc;
use std::task::Waker;

/// By what somebody was let in.
#[derive(Clone, Copy, Default)]
pub(super) struct Login {
    token: Option<TokenHash>,
    by_certificate: bool,
}

impl Login {
    pub fn of(who: &TopicWho) -> Self {
        Self { token: who.token, by_certificate: who.by_certificate }
    }

    /// Whether a Change ends listening altogether for this user with this login.
    fn ending(&self, what: &What, user: &UserId) -> Option<Ended> {
        match what {
            What::DeviceSet(device) if device.user == *user && self.by_certificate && !device.certificate => {
                Some(Ended::CertificateRefused)
            }
            _ => ending(what, user, self.token.as_ref()),
        }
    }
}

/// Whether a Change can bear on what this user may do with topics.
pub(super) fn bears(what: &What, user: &UserId, login: &Login) -> bool {
    let changes = match what {
        What::UserChanged(now) => now.id == *user,
        What::DeviceSet(device) => device.user == *user,
        _ => false,
    };
    changes || login.ending(what, user).is_some()
}

impl Places {
    /// Follows what was not relayed here yet.
    pub fn relay(&mut self, tail: &mut Tail, woken: &mut Vec<Waker>) {
        for entry in tail.after(tail.topics_relayed()) {
            self.follow(entry, woken);
            self.relayed = entry.seq();
        }
        tail.set_topics_relayed();
    }

    fn follow(&mut self, entry: &Entry, woken: &mut Vec<Waker>) {
        match &entry.change.what {
            What::Published { publication, .. } => {
                let arrived_ms = entry.change.origin.moment.mono_ms;
                self.deliver(Some(entry.seq()), publication, arrived_ms, woken);
            }
            What::TokenRevoked { user, .. } => self.bear(user, entry, woken),
            What::UserRemoved { user, .. } => {
                self.bear(user, entry, woken);
                self.unpark_user(user);
            }
            What::UserChanged(user) => self.bear(&user.id, entry, woken),
            What::DeviceSet(device) => self.bear(&device.user, entry, woken),
            What::TopicSessionGone { client } => {
                self.unpark(client);
                self.let_group_go(client);
            }
            _ => {}
        }
    }

    /// Carries what a Change does to the rights of a user's seats.
    fn bear(&mut self, user: &UserId, entry: &Entry, woken: &mut Vec<Waker>) {
        let (what, at) = (&entry.change.what, entry.seq());
        let Some(person) = self.people.get_mut(user) else { return };
        let now = actor_after(&person.actor, what);
        if at > person.after {
            (person.actor, person.after) = (now.clone(), at);
        }
        for id in person.seats.clone() {
            let sitter = self.sitter(id);
            // What was known when the seat was taken.
            if at <= sitter.after || !bears(what, user, &sitter.login) {
                continue;
            }
            sitter.rights_since = at;
            if let Some(ended) = sitter.login.ending(what, user) {
                sitter.ended = Some(ended);
                sitter.queue.end();
                sitter.wake(woken);
                self.forget_all(id);
                self.retire(id);
            } else {
                self.cut(id, &now, entry, woken);
            }
        }
    }

    /// Takes away the subscriptions that the policy no longer allows.
    fn cut(&mut self, id: u32, actor: &Actor, entry: &Entry, woken: &mut Vec<Waker>) {
        for at in (0..self.sitter(id).held.len()).rev() {
            let held = &self.sitter(id).held[at];
            if held.after >= entry.seq() || policy::may_subscribe(actor, &held.filter).is_ok() {
                continue;
            }
            let held = self.forget(id, at);
            let sitter = self.sitter(id);
            sitter.cut.push((held.filter, held.share));
            sitter.wake(woken);
        }
    }
}

/// What somebody is after a Change of theirs.
fn actor_after(actor: &Actor, what: &What) -> Actor {
    let mut actor = actor.clone();
    match what {
        What::UserChanged(now) => actor.user = Arc::new(now.clone()),
        What::DeviceSet(device) => actor.device = Some(Arc::new(device.clone())),
        _ => {}
    }
    actor
}
