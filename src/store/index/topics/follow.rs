//! How the index follows what happens to topics and their sessions.
//!
//! Nothing here asks whether the session is there: in a condensed journal its newest Change may come after those that
//! speak of its subscriptions and packet ids.

use crate::base::id::Seq;
use crate::base::limits::{HAND_OUTS_MAX, RECEIPTS_MAX, SUBSCRIPTIONS_MAX};
use crate::chat::change::{Change, What};
use crate::chat::publication::{Publication, TopicSession};
use crate::store::error::StoreError;
use crate::store::index::apply::Writes;
use crate::store::index::kv::Shelf;
use crate::store::index::topics::Topics;
use crate::store::journal::Pos;
use crate::store::keys::{self, end_of};
use crate::store::record::topics::{self as record, HandOut, Heard, Kept, Retained};

/// The writes that bring the shelf up to what happened to topics.
pub(in crate::store::index) fn follow(
    shelf: &dyn Shelf,
    change: &Change,
    pos: Pos,
    count: &mut Option<u64>,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    match &change.what {
        What::Published { publication, receipt } => {
            if let Some(packet) = receipt {
                let key = keys::receipt(&publication.client, *packet);
                writes.record(key, &change.seq, record::encode_receipt)?;
            }
            if publication.retain {
                retained(shelf, (change.seq, publication), pos, count, writes)?;
            }
        }
        What::ReceiptTaken { client, packet } => {
            writes.record(keys::receipt(client, *packet), &change.seq, record::encode_receipt)?;
        }
        What::ReceiptReleased { client, packet } => writes.gone(keys::receipt(client, *packet)),
        What::TopicSessionSet(session) => session_is(change, session, writes)?,
        What::TopicSessionMoved { client, heard, dropped } => {
            let heard = Heard { upto: *heard, dropped: *dropped, by: change.seq };
            writes.record(keys::topic_heard(client), &heard, record::encode_heard)?;
        }
        What::TopicSessionGone { client } => session_gone(shelf, client, writes)?,
        What::SubscriptionSet { client, subscription } => {
            let key = keys::subscription(client, subscription.share.as_deref(), &subscription.filter);
            writes.record(key, &(subscription, change.seq), record::encode_subscription)?;
        }
        What::SubscriptionGone { client, filter, share } => {
            writes.gone(keys::subscription(client, share.as_deref(), filter));
        }
        What::WillSet(will) => {
            let key = keys::will(&will.publication.client);
            writes.record(key, &change.seq, record::encode_receipt)?;
        }
        What::WillGone { client } => writes.gone(keys::will(client)),
        What::HandedOut { client, deliveries } => {
            for (packet, publication) in deliveries {
                let hand_out = HandOut { publication: *publication, by: change.seq, received: None };
                writes.record(keys::hand_out(client, *packet), &hand_out, record::encode_hand_out)?;
            }
        }
        What::HandOutStep { client, packet, done: true } => writes.gone(keys::hand_out(client, *packet)),
        What::HandOutStep { client, packet, done: false } => {
            if let Some(hand_out) = shelf.hand_out(client, *packet)? {
                let hand_out = HandOut { received: Some(change.seq), ..hand_out };
                writes.record(keys::hand_out(client, *packet), &hand_out, record::encode_hand_out)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn retained(
    shelf: &dyn Shelf,
    (seq, publication): (Seq, &Publication),
    pos: Pos,
    count: &mut Option<u64>,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let key = keys::retained(&publication.topic);
    let (was, is) = (shelf.get(&key)?.is_some(), !publication.payload.is_empty());
    if let Some(count) = count.as_mut().filter(|_| was != is) {
        *count = if is { *count + 1 } else { count.saturating_sub(1) };
    }
    match is {
        true => writes.record(key, &Retained { seq, pos: pos.0 }, record::encode_retained)?,
        false => writes.gone(key),
    }
    Ok(())
}

fn session_is(change: &Change, session: &TopicSession, writes: &mut Writes) -> Result<(), StoreError> {
    let TopicSession { client, user, expiry_s, heard, dropped, left } = session;
    let at = change.origin.moment;
    let kept = Kept { user: user.clone(), expiry_s: *expiry_s, left: *left, set: change.seq, at };
    writes.record(keys::topic_session(client), &kept, record::encode_kept)?;
    let heard = Heard { upto: *heard, dropped: *dropped, by: change.seq };
    writes.record(keys::topic_heard(client), &heard, record::encode_heard)
}

fn session_gone(shelf: &dyn Shelf, client: &str, writes: &mut Writes) -> Result<(), StoreError> {
    let belongings = [
        (keys::subscriptions(client), SUBSCRIPTIONS_MAX),
        (keys::receipts(client), RECEIPTS_MAX),
        (keys::hand_outs(client), HAND_OUTS_MAX),
    ];
    for (prefix, max) in belongings {
        // Twice as many: over a store that a power cut left ahead of its checkpoint, old and new ones stand together.
        for (key, _) in shelf.scan(&prefix, &end_of(&prefix), 2 * max)? {
            writes.gone(key);
        }
    }
    writes.gone(keys::topic_heard(client));
    writes.gone(keys::topic_session(client));
    Ok(())
}
