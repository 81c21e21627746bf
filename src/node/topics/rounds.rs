//! What the care for the disk does for sessions of topics: those end whose time is over, and one that is too far behind
//! is moved up, so that the journal need not keep everything for somebody who may never come back.

use crate::base::id::Seq;
use crate::base::limits::{
    SESSIONS_ENDED_AT_ONCE, TOPIC_LAG_BYTES_MAX, TOPIC_LAG_CHANGES_MAX, TOPIC_LAG_PAGE_CHANGES,
    WAYMARK_CHANGES,
};
use crate::chat::change::{Change, What};
use crate::chat::publication::{Qos, Subscription, TopicSession};
use crate::chat::refusal::Refusal;
use crate::node::condense::Hands;
use crate::node::{Node, Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::topics::Topics;
use smol_str::SmolStr;

/// How far a session may be behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lag {
    /// Changes.
    pub changes: u64,
    /// Bytes of the journal.
    pub bytes: u64,
}

impl Default for Lag {
    fn default() -> Self {
        Self { changes: TOPIC_LAG_CHANGES_MAX, bytes: TOPIC_LAG_BYTES_MAX }
    }
}

/// One look at all sessions.
pub(in crate::node) fn look(reading: &Reading, hands: &mut dyn Hands, lag: Lag) -> Result<(), StoreError> {
    let clients = reading.topic_clients()?;
    for some in clients.chunks(SESSIONS_ENDED_AT_ONCE) {
        if is_any_due(reading, some)? {
            let some = some.to_vec();
            hands.job(Box::new(move |node| {
                node.note_sessions_left(&some)?;
                node.end_sessions_that_are_over(&some).map(drop)
            }))?;
        }
    }
    let furthest = first_within(reading, lag)?;
    for client in clients {
        match Topics::topic_session(reading, &client)? {
            Some(session) if session.heard < furthest => {
                // Further than it has to, or every look would move it a little.
                let within =
                    first_within(reading, Lag { changes: lag.changes / 4 * 3, bytes: lag.bytes / 4 * 3 })?;
                move_up(reading, hands, session, within)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_any_due(reading: &Reading, clients: &[SmolStr]) -> Result<bool, StoreError> {
    let now = reading.now();
    for client in clients {
        let Some(kept) = reading.topic_session_kept(client)? else { continue };
        let was_there_before = !kept.left && kept.at.boot != now.boot;
        let is_over = super::sessions::is_over(reading, &kept, now)?;
        if was_there_before || is_over || super::sessions::is_ownerless(reading, &kept)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first place that is not further behind than this.
fn first_within(reading: &Reading, lag: Lag) -> Result<Seq, StoreError> {
    let newest = reading.newest().0;
    let (mut low, mut high) = (newest.saturating_sub(lag.changes), newest);
    let from = reading.settled.reached().end.place().saturating_sub(lag.bytes);
    // Where the Changes of one waymark lie is known only all together: none is taken for further behind than it is.
    let is_behind = |seq: u64| -> Result<bool, StoreError> {
        let next = Seq(seq + WAYMARK_CHANGES);
        Ok(next.0 <= newest && reading.waymark(next)?.is_some_and(|(_, pos)| pos.place() < from))
    };
    if !is_behind(low)? {
        return Ok(Seq(low));
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_behind(middle)? { low = middle + 1 } else { high = middle }
    }
    Ok(Seq(low))
}

fn move_up(
    reading: &Reading,
    hands: &mut dyn Hands,
    session: TopicSession,
    upto: Seq,
) -> Result<(), StoreError> {
    let subscriptions = Topics::topic_subscriptions(reading, &session.client)?;
    let (mut at, mut missed) = (session.heard, 0);
    while at < upto {
        let page = reading.publications_after(at, upto, TOPIC_LAG_PAGE_CHANGES);
        let page =
            page.map_err(|_| StoreError::CannotCondense { why: "what sessions missed cannot be counted" })?;
        missed +=
            page.found.iter().filter(|change| is_heard(&session, &subscriptions, change)).count() as u64;
        at = page.reached;
        hands.breathe()?;
    }
    let (client, heard, dropped) = (session.client, session.heard, session.dropped + missed);
    tracing::warn!(%client, missed, "a session of topics was too far behind: it does not hear all it wanted");
    hands.job(Box::new(move |node| node.move_up(client, (heard, upto), dropped)))
}

fn is_heard(session: &TopicSession, subscriptions: &[Subscription], change: &Change) -> bool {
    let What::Published { publication, .. } = &change.what else { return false };
    let is_own = publication.client == session.client;
    publication.qos > Qos::Most
        && subscriptions.iter().any(|one| {
            one.qos > Qos::Most
                && one.made < change.seq
                && !(one.no_local && is_own)
                && one.filter.matches(&publication.topic)
        })
}

impl Node {
    /// Whoever was connected when the node went down, and has not come back, is gone from now on.
    fn note_sessions_left(&mut self, clients: &[SmolStr]) -> Result<(), Refusal> {
        for client in clients {
            let Some(kept) = self.topic_session_kept(client).map_err(refuse)? else { continue };
            if kept.left || kept.at.boot == self.now().boot {
                continue;
            }
            if let Some(session) = self.topic_session(client).map_err(refuse)? {
                self.append(What::TopicSessionSet(TopicSession { left: true, ..session }))?;
            }
        }
        Ok(())
    }

    /// Moves a session up that stood at the first of these places; one that has come further meanwhile waits for the next
    /// look.
    fn move_up(&mut self, client: SmolStr, (from, upto): (Seq, Seq), dropped: u64) -> Result<(), Refusal> {
        let session = self.topic_session(&client).map_err(refuse)?;
        if session.is_some_and(|session| session.heard == from) {
            self.append(What::TopicSessionMoved { client, heard: upto, dropped })?;
        }
        Ok(())
    }
}
