//! Sessions that outlive their connections. Only the user who made one, and the operator, have anything to do with it.
//!
//! What a session still has to hear lies in the journal: here is only how far it has come. A session ends so many seconds
//! after its connection did, by the clock of this start, or by wall clocks that were trusted both times; where nobody
//! knows the time, it stays.

use crate::base::id::{Seq, UserId};
use crate::base::limits::{HAND_OUTS_MAX, TOPIC_SESSIONS_MAX, TOPIC_SESSIONS_PER_USER_MAX};
use crate::base::time::Moment;
use crate::chat::change::What;
use crate::chat::policy;
use crate::chat::publication::{Subscription, TopicSession, group_of};
use crate::chat::refusal::{Refusal, Right};
use crate::node::caller::{ANONYMOUS, Caller};
use crate::node::topics::well_formed;
use crate::node::{Node, Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::times::Times;
use crate::store::index::topics::Topics;
use crate::store::record::topics::Kept;
use smol_str::SmolStr;

/// A session that was taken up, or made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The session.
    pub session: TopicSession,
    /// What it hears.
    pub subscriptions: Vec<Subscription>,
    /// What was on its way to the client, in the order of publications: packet id, publication, and whether the client has
    /// it and only has to let go of the packet id.
    pub hand_outs: Vec<(u16, Seq, bool)>,
    /// Packet ids that the client has not released.
    pub receipts: Vec<u16>,
    /// What was kept up to here may have been sent to it before.
    pub sent: Seq,
    /// Whether there was one.
    pub was_there: bool,
}

/// Whether a session's time is over.
pub(in crate::node) fn is_over(shelf: &dyn Times, kept: &Kept, now: Moment) -> Result<bool, StoreError> {
    let Some(expiry_s) = kept.expiry_s.filter(|_| kept.left) else { return Ok(false) };
    let gone_ms = if kept.at.boot == now.boot {
        now.mono_ms.saturating_sub(kept.at.mono_ms)
    } else {
        let turned = shelf.turned_of(kept.set)?;
        let trusted = now.trusted && (kept.at.trusted || turned.is_some_and(|turned| turned.trusted));
        let at = turned.map_or(kept.at.wall_ms, |turned| turned.shown(kept.at.wall_ms));
        if trusted { now.wall_ms.saturating_sub(at) } else { 0 }
    };
    Ok(gone_ms >= u64::from(expiry_s) * 1_000)
}

/// Whether the user of a session is gone.
pub(super) fn is_ownerless(catalog: &dyn Catalog, kept: &Kept) -> Result<bool, StoreError> {
    Ok(kept.user != ANONYMOUS && catalog.user(&kept.user)?.is_none())
}

impl Node {
    /// The session of this client, for the user whose it is and for the operator.
    pub(super) fn topic_session_for(&self, caller: &Caller, client: &str) -> Result<TopicSession, Refusal> {
        let user = self.actor(caller)?.user.id.clone();
        let session = self.topic_session(client).map_err(refuse)?.ok_or(Refusal::NoSuchSession)?;
        match session.user == user || *caller == Caller::Operator {
            true => Ok(session),
            false => Err(Refusal::SessionTaken),
        }
    }

    /// Takes up the session of a client, or makes one: always when it is to be a `clean` one. It hears nothing yet but what
    /// it heard before. Kept for `expiry_s` after its connection ended, or for ever.
    pub fn open_topic_session(
        &mut self,
        caller: &Caller,
        client: &str,
        expiry_s: Option<u32>,
        clean: bool,
    ) -> Result<Opened, Refusal> {
        let actor = self.actor(caller)?;
        if !policy::may_hold_session(&actor) {
            return Err(Refusal::NotAllowed(Right::Subscribe));
        }
        well_formed("a client id", client)?;
        if group_of(client).is_some() {
            return Err(Refusal::Invalid {
                what: "a client id",
                want: "one that does not begin with $share/",
            });
        }
        let client = SmolStr::new(client);
        let was_there = self.taken_up(&actor.user.id, &client, clean)?;
        if !was_there {
            self.make_room_for_a_session_of(&actor.user.id)?;
        }
        let (here, sent) = (self.next_seq(), self.sent_before(&client)?);
        let known = self.topic_session(&client).map_err(refuse)?;
        let (heard, dropped) = known.map_or((here, 0), |known| (known.heard, known.dropped));
        let user = actor.user.id.clone();
        let session = TopicSession { client: client.clone(), user, expiry_s, heard, dropped, left: false };
        self.append(What::TopicSessionSet(session.clone()))?;
        let hand_outs = self.hand_outs(&client).map_err(refuse)?;
        Ok(Opened {
            session,
            subscriptions: self.topic_subscriptions(&client).map_err(refuse)?,
            hand_outs: hand_outs
                .into_iter()
                .map(|(id, of)| (id, of.publication, of.received.is_some()))
                .collect(),
            receipts: self.receipts(&client).map_err(refuse)?,
            sent: if was_there { sent } else { Seq(0) },
            was_there,
        })
    }

    /// The place up to which a session's client may have been sent what was kept: nothing goes to one that has left.
    fn sent_before(&self, client: &str) -> Result<Seq, Refusal> {
        let kept = self.topic_session_kept(client).map_err(refuse)?;
        Ok(match kept {
            None => Seq(0),
            Some(kept) if kept.left => kept.set,
            Some(kept) if kept.at.boot == self.now().boot => self.last,
            Some(_) => self.woken.unwrap_or(self.last),
        })
    }

    /// Whether there is a session of this client to take up; one that is not to be is gone.
    fn taken_up(&mut self, user: &UserId, client: &SmolStr, clean: bool) -> Result<bool, Refusal> {
        let Some(kept) = self.topic_session_kept(client).map_err(refuse)? else { return Ok(false) };
        let is_own = kept.user == *user;
        if !is_own && !is_ownerless(self, &kept).map_err(refuse)? {
            return Err(Refusal::SessionTaken);
        }
        let stays = is_own && !clean && !is_over(self, &kept, self.now()).map_err(refuse)?;
        if !stays {
            self.session_gone(client.clone())?;
        }
        Ok(stays)
    }

    /// Where a user has as many as one may have, those of them go whose time is over.
    fn make_room_for_a_session_of(&mut self, user: &UserId) -> Result<(), Refusal> {
        let clients = self.topic_clients().map_err(refuse)?;
        if clients.len() >= TOPIC_SESSIONS_PER_USER_MAX {
            let mut theirs = Vec::new();
            for client in clients.into_iter().filter(|client| group_of(client).is_none()) {
                let kept = self.topic_session_kept(&client).map_err(refuse)?;
                theirs.extend(kept.filter(|kept| kept.user == *user).map(|_| client));
            }
            let is_full = theirs.len() >= TOPIC_SESSIONS_PER_USER_MAX;
            if is_full && self.end_sessions_that_are_over(&theirs)? == 0 {
                let max = TOPIC_SESSIONS_PER_USER_MAX;
                return Err(Refusal::TooMany { what: "sessions of one user", max });
            }
        }
        self.make_room_for_a_session()
    }

    /// Where there are as many as there may be, those go whose time is over.
    pub(super) fn make_room_for_a_session(&mut self) -> Result<(), Refusal> {
        let clients = self.topic_clients().map_err(refuse)?;
        if clients.len() < TOPIC_SESSIONS_MAX {
            return Ok(());
        }
        match self.end_sessions_that_are_over(&clients)? {
            0 => Err(Refusal::TooMany { what: "sessions of topics", max: TOPIC_SESSIONS_MAX }),
            _ => Ok(()),
        }
    }

    /// Ends those of these sessions whose time is over or whose user is gone; says how many.
    pub(in crate::node) fn end_sessions_that_are_over(
        &mut self,
        clients: &[SmolStr],
    ) -> Result<usize, Refusal> {
        let (now, mut ended) = (self.now(), 0);
        for client in clients {
            let Some(kept) = self.topic_session_kept(client).map_err(refuse)? else { continue };
            if is_over(self, &kept, now).map_err(refuse)? || is_ownerless(self, &kept).map_err(refuse)? {
                self.session_gone(client.clone())?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// The connection of a session has ended: it is kept for so many seconds more, or for ever; for none, it is gone.
    pub fn close_topic_session(
        &mut self,
        caller: &Caller,
        client: &str,
        expiry_s: Option<u32>,
    ) -> Result<(), Refusal> {
        let session = self.topic_session_for(caller, client)?;
        match expiry_s {
            Some(0) => self.session_gone(session.client),
            _ => {
                let session = TopicSession { expiry_s, left: true, ..session };
                self.append(What::TopicSessionSet(session)).map(drop)
            }
        }
    }

    /// A session is gone, with what it had to hear.
    pub fn end_topic_session(&mut self, caller: &Caller, client: &str) -> Result<(), Refusal> {
        let client = self.topic_session_for(caller, client)?.client;
        self.session_gone(client)
    }

    /// A session has heard everything up to this place; `dropped` counts what it was too far behind for, ever. It never
    /// goes back.
    pub fn move_topic_session(
        &mut self,
        caller: &Caller,
        client: &str,
        heard: Seq,
        dropped: u64,
    ) -> Result<(), Refusal> {
        let session = self.topic_session_for(caller, client)?;
        let heard = heard.clamp(session.heard, self.last.max(session.heard));
        let dropped = dropped.max(session.dropped);
        if (heard, dropped) != (session.heard, session.dropped) {
            self.append(What::TopicSessionMoved { client: session.client, heard, dropped })?;
        }
        Ok(())
    }

    /// Gives packet ids to publications that the client takes exactly once, before they are sent, and before the session
    /// has heard them: what all have heard need not be there any more.
    pub fn hand_out(
        &mut self,
        caller: &Caller,
        client: &str,
        deliveries: Vec<(u16, Seq)>,
    ) -> Result<(), Refusal> {
        let session = self.topic_session_for(caller, client)?;
        let client = session.client;
        if deliveries.is_empty() {
            return Ok(());
        }
        if deliveries.iter().any(|(_, publication)| *publication <= session.heard) {
            return Err(Refusal::Invalid {
                what: "what is handed out",
                want: "what the session has not heard",
            });
        }
        let under_way = self.hand_outs(&client).map_err(refuse)?;
        if under_way.len() + deliveries.len() > HAND_OUTS_MAX {
            return Err(Refusal::TooMany {
                what: "publications on their way to a client",
                max: HAND_OUTS_MAX,
            });
        }
        let is_taken = |packet: u16| under_way.iter().any(|(taken, _)| *taken == packet);
        let is_twice = |at: usize| deliveries[..at].iter().any(|(packet, _)| *packet == deliveries[at].0);
        if (0..deliveries.len()).any(|at| is_taken(deliveries[at].0) || is_twice(at)) {
            return Err(Refusal::Invalid { what: "a packet id", want: "one that is not under way" });
        }
        self.append(What::HandedOut { client, deliveries }).map(drop)
    }

    /// The client has the publication of this packet id; when `done`, it has let go of the packet id too. False when the
    /// packet id was not known, or that was known of it.
    pub fn step_hand_out(
        &mut self,
        caller: &Caller,
        client: &str,
        packet: u16,
        done: bool,
    ) -> Result<bool, Refusal> {
        let client = self.topic_session_for(caller, client)?.client;
        let known = self.hand_out_of(&client, packet)?;
        let is_news = known.is_some_and(|received| done || !received);
        if is_news {
            self.append(What::HandOutStep { client, packet, done })?;
        }
        Ok(is_news)
    }

    fn hand_out_of(&self, client: &str, packet: u16) -> Result<Option<bool>, Refusal> {
        let known = Topics::hand_out(self, client, packet).map_err(refuse)?;
        Ok(known.map(|hand_out| hand_out.received.is_some()))
    }
}

impl Reading {
    /// All sessions that outlive their connections.
    pub fn topic_sessions(&self) -> Result<Vec<TopicSession>, Refusal> {
        Topics::topic_sessions(self).map_err(refuse)
    }

    /// The session of a client.
    pub fn topic_session(&self, client: &str) -> Result<Option<TopicSession>, Refusal> {
        Topics::topic_session(self, client).map_err(refuse)
    }

    /// What the session of a client hears.
    pub fn topic_subscriptions(&self, client: &str) -> Result<Vec<Subscription>, Refusal> {
        Topics::topic_subscriptions(self, client).map_err(refuse)
    }
}
