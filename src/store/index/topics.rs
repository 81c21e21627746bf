//! What the index knows of topics and their sessions, read through any shelf. A topic that is no room has no index but
//! the publication that is its state.

mod follow;

pub(super) use follow::follow;

use crate::base::id::Seq;
use crate::base::limits::{
    HAND_OUTS_MAX, PAGE_ENTRIES_MAX, RECEIPTS_MAX, SUBSCRIPTIONS_MAX, TOPIC_SESSIONS_MAX, WILLS_MAX,
};
use crate::chat::publication::{Subscription, TopicSession};
use crate::chat::topic::{Filter, Topic};
use crate::store::error::StoreError;
use crate::store::index::kv::{Shelf, Value};
use crate::store::keys::{self, Key, end_of, text_after};
use crate::store::record::topics::{self as record, HandOut, Heard, Kept, Retained};
use smol_str::SmolStr;

fn damaged(what: &str) -> StoreError {
    StoreError::Index(format!("{what} in it is damaged"))
}

/// A page of retained publications.
#[derive(Default, Debug)]
pub struct RetainedPage {
    /// Those that match, in the order of their topics.
    pub found: Vec<(Topic, Retained)>,
    /// The topic after which the next page begins; `None` at the end.
    pub reached: Option<Topic>,
}

/// What sessions of topics still need of the journal.
#[derive(Default, Debug)]
pub struct Needs {
    /// Everything after this place; `None` where there is no session.
    pub after: Option<Seq>,
    /// Publications on their way to clients, in order.
    pub handed_out: Vec<Seq>,
}

impl Needs {
    /// Whether a session may still need the publication of this sequence.
    pub fn has(&self, seq: Seq) -> bool {
        self.after.is_some_and(|after| seq > after) || self.handed_out.binary_search(&seq).is_ok()
    }
}

/// Sessions, subscriptions, packet ids and retained publications.
pub trait Topics: Shelf {
    /// What is kept of a session, without how far it has heard.
    fn topic_session_kept(&self, client: &str) -> Result<Option<Kept>, StoreError> {
        match self.get(&keys::topic_session(client))? {
            Some(value) => Ok(Some(record::decode_kept(&value)?)),
            None => Ok(None),
        }
    }

    /// How far a session has heard.
    fn topic_session_heard(&self, client: &str) -> Result<Option<Heard>, StoreError> {
        match self.get(&keys::topic_heard(client))? {
            Some(value) => Ok(Some(record::decode_heard(&value)?)),
            None => Ok(None),
        }
    }

    /// The session of a client.
    fn topic_session(&self, client: &str) -> Result<Option<TopicSession>, StoreError> {
        let Some(Kept { user, expiry_s, left, .. }) = self.topic_session_kept(client)? else {
            return Ok(None);
        };
        let Some(Heard { upto, dropped, .. }) = self.topic_session_heard(client)? else { return Ok(None) };
        Ok(Some(TopicSession { client: client.into(), user, expiry_s, heard: upto, dropped, left }))
    }

    /// The clients that have sessions; at most [`TOPIC_SESSIONS_MAX`].
    fn topic_clients(&self) -> Result<Vec<SmolStr>, StoreError> {
        let prefix = keys::topic_sessions();
        let found = self.scan(&prefix, &end_of(&prefix), TOPIC_SESSIONS_MAX)?;
        Ok(found.iter().filter_map(|(key, _)| text_after(&prefix, key).map(SmolStr::new)).collect())
    }

    /// All sessions.
    fn topic_sessions(&self) -> Result<Vec<TopicSession>, StoreError> {
        let clients = self.topic_clients()?;
        clients.iter().filter_map(|client| self.topic_session(client).transpose()).collect()
    }

    /// What a session hears, in the order of groups and filters.
    fn topic_subscriptions(&self, client: &str) -> Result<Vec<Subscription>, StoreError> {
        let prefix = keys::subscriptions(client);
        let found = self.scan(&prefix, &end_of(&prefix), SUBSCRIPTIONS_MAX)?;
        let subscription = |(key, value): &(Key, Value)| {
            let text = text_after(&prefix, key).and_then(|text| text.split_once('\0'));
            let (share, filter) = text.ok_or_else(|| damaged("a subscription's key"))?;
            let share = Some(share).filter(|share| !share.is_empty());
            Ok(record::decode_subscription(filter, share, value)?.0)
        };
        found.iter().map(subscription).collect()
    }

    /// The subscription of a session to a filter, and the Change that says so.
    fn topic_subscription(
        &self,
        client: &str,
        filter: &Filter,
        share: Option<&str>,
    ) -> Result<Option<(Subscription, Seq)>, StoreError> {
        match self.get(&keys::subscription(client, share, filter))? {
            Some(value) => Ok(Some(record::decode_subscription(filter.as_str(), share, &value)?)),
            None => Ok(None),
        }
    }

    /// The publication that came with this packet id, while it is not released.
    fn receipt(&self, client: &str, packet: u16) -> Result<Option<Seq>, StoreError> {
        match self.get(&keys::receipt(client, packet))? {
            Some(value) => Ok(Some(record::decode_receipt(&value)?)),
            None => Ok(None),
        }
    }

    /// The packet ids that a session's client has not released.
    fn receipts(&self, client: &str) -> Result<Vec<u16>, StoreError> {
        let prefix = keys::receipts(client);
        let found = self.scan(&prefix, &end_of(&prefix), RECEIPTS_MAX)?;
        found.iter().map(|(key, _)| keys::packet_of(key).ok_or_else(|| damaged("a receipt's key"))).collect()
    }

    /// The hand-out of a packet id.
    fn hand_out(&self, client: &str, packet: u16) -> Result<Option<HandOut>, StoreError> {
        match self.get(&keys::hand_out(client, packet))? {
            Some(value) => Ok(Some(record::decode_hand_out(&value)?)),
            None => Ok(None),
        }
    }

    /// What is on its way to a session's client, in the order of its publications.
    fn hand_outs(&self, client: &str) -> Result<Vec<(u16, HandOut)>, StoreError> {
        let prefix = keys::hand_outs(client);
        let found = self.scan(&prefix, &end_of(&prefix), HAND_OUTS_MAX)?;
        let hand_out = |(key, value): &(Key, Value)| {
            let packet = keys::packet_of(key).ok_or_else(|| damaged("a hand-out's key"))?;
            Ok((packet, record::decode_hand_out(value)?))
        };
        let mut hand_outs = found.iter().map(hand_out).collect::<Result<Vec<_>, StoreError>>()?;
        hand_outs.sort_by_key(|(_, hand_out)| (hand_out.publication, hand_out.by));
        Ok(hand_outs)
    }

    /// The Change that says what the last will of a client is.
    fn will(&self, client: &str) -> Result<Option<Seq>, StoreError> {
        match self.get(&keys::will(client))? {
            Some(value) => Ok(Some(record::decode_receipt(&value)?)),
            None => Ok(None),
        }
    }

    /// The Changes that say what the last wills of all clients are; at most [`WILLS_MAX`].
    fn wills(&self) -> Result<Vec<Seq>, StoreError> {
        let prefix = keys::wills();
        let found = self.scan(&prefix, &end_of(&prefix), WILLS_MAX)?;
        found.iter().map(|(_, value)| Ok(record::decode_receipt(value)?)).collect()
    }

    /// Where the publication lies that is the state of its topic.
    fn retained_at(&self, topic: &Topic) -> Result<Option<Retained>, StoreError> {
        match self.get(&keys::retained(topic))? {
            Some(value) => Ok(Some(record::decode_retained(&value)?)),
            None => Ok(None),
        }
    }

    /// Retained publications that match a filter, in the order of their topics, after this one: at most `max`, of at most
    /// `scan_max` that are looked at.
    fn retained_matching(
        &self,
        filter: &Filter,
        after: Option<&Topic>,
        (max, scan_max): (usize, usize),
    ) -> Result<RetainedPage, StoreError> {
        let prefix = keys::retained_from(filter.literal_beginning());
        let mut from =
            after.map_or_else(|| prefix.to_vec(), |after| [&keys::retained(after)[..], &[0]].concat());
        let (mut page, mut looked) = (RetainedPage::default(), 0);
        while from[..] < end_of(&prefix)[..] {
            let some = PAGE_ENTRIES_MAX.min(scan_max - looked);
            let found = self.scan(&from, &end_of(&prefix), some)?;
            let is_last = found.len() < some;
            looked += found.len();
            for (key, value) in found {
                let topic = keys::retained_topic(&key).ok_or_else(|| damaged("a topic"))?;
                if filter.matches(&topic) {
                    page.found.push((topic.clone(), record::decode_retained(&value)?));
                }
                from = [&key[..], &[0]].concat();
                if page.found.len() >= max {
                    page.reached = Some(topic);
                    return Ok(page);
                }
                page.reached = Some(topic);
            }
            if is_last {
                page.reached = None;
                return Ok(page);
            }
            if looked >= scan_max {
                return Ok(page);
            }
        }
        page.reached = None;
        Ok(page)
    }

    /// Counts the topics that have a retained publication.
    fn count_retained(&self) -> Result<u64, StoreError> {
        let prefix = keys::retained_from("");
        let (mut from, mut count) = (prefix.to_vec(), 0);
        loop {
            let page = self.scan(&from, &end_of(&prefix), PAGE_ENTRIES_MAX)?;
            count += page.len() as u64;
            match page.last() {
                Some((key, _)) if page.len() == PAGE_ENTRIES_MAX => from = [&key[..], &[0]].concat(),
                _ => return Ok(count),
            }
        }
    }

    /// What sessions still need of the journal.
    fn topic_needs(&self) -> Result<Needs, StoreError> {
        let mut needs = Needs::default();
        for client in self.topic_clients()? {
            if let Some(heard) = self.topic_session_heard(&client)? {
                needs.after = Some(needs.after.map_or(heard.upto, |after| after.min(heard.upto)));
            }
            let waiting = self.hand_outs(&client)?;
            needs.handed_out.extend(waiting.iter().map(|(_, hand_out)| hand_out.publication));
        }
        needs.handed_out.sort_unstable();
        needs.handed_out.dedup();
        Ok(needs)
    }
}

impl<T: Shelf + ?Sized> Topics for T {}
