//! What is published when a client is gone without a word; after a while, if it wants so and does not come back.
//!
//! A will that matters is kept ([`crate::node::topics::wills`]): when the node starts after a fall of the power, the clients
//! that were connected have vanished, and their wills wait for their delay from then on, or are published at once. Those
//! whose wills waited already wait for what is left, as far as the clocks know. They are published one after the
//! other. A node that stops in order publishes none of those who are connected: it is not they who went.

use super::bell::Ring;
use super::connection::{Connection, End};
use super::{Broker, bound, draft, packet, rooms, words};
use crate::base::id::UserId;
use crate::base::limits::{MQTT_WILLS_AT_ONCE, MQTT_WILLS_MAX};
use crate::chat::publication::{LastWill, Publication};
use crate::node::caller::ANONYMOUS;
use crate::node::topics::wills;
use crate::node::{Caller, Node};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

/// The last will of a client.
#[derive(Clone, Debug)]
pub struct Will {
    /// Whose, as they were when they came.
    pub caller: Caller,
    /// What is published.
    pub publication: Publication,
    /// Seconds after the connection's end.
    pub delay_s: u32,
}

impl Will {
    /// The will that came with a CONNECT.
    pub fn of(will: packet::Will, caller: &Caller, by: &UserId, client: &SmolStr) -> Self {
        let packet::Will { topic, payload, qos, retain, delay_s, expiry_s, properties } = will;
        let (by, client) = (by.clone(), client.clone());
        let publication = Publication { topic, payload, qos, retain, expiry_s, properties, by, client };
        Will { caller: caller.clone(), publication, delay_s }
    }

    /// One that was kept.
    fn from_kept(kept: LastWill) -> Self {
        let LastWill { token, publication, delay_s, .. } = kept;
        let caller = match token {
            Some(token) => Caller::Token(token),
            None if publication.by == ANONYMOUS => Caller::Anonymous,
            None => Caller::Certificate(publication.by.clone()),
        };
        Will { caller, publication, delay_s }
    }

    /// As the node keeps it.
    fn kept(&self, waits: bool, delay_max_s: u32) -> LastWill {
        let token = if let Caller::Token(token) = &self.caller { Some(*token) } else { None };
        let (publication, delay_s) = (self.publication.clone(), self.delay_s.min(delay_max_s));
        LastWill { token, publication, delay_s, waits }
    }
}

/// Publishes wills whose time has come, for as long as it is polled.
pub async fn publish_due(broker: Arc<Broker>) {
    let kept = broker.node.read(|reading| reading.wills_kept()).unwrap_or_default();
    for (kept, waited_ms) in kept {
        let left = Duration::from_secs(kept.delay_s.into()).saturating_sub(Duration::from_millis(waited_ms));
        let client = kept.publication.client.clone();
        // It came back before its will was looked at.
        if !broker.registry.is_here(&client) {
            let _ = broker.wills.wait(client, Will::from_kept(kept), Instant::now() + left);
        }
    }
    loop {
        for will in broker.wills.due().await {
            publish(&broker, will).await;
        }
    }
}

/// Publishes a will beside whatever goes on.
pub fn publish_now(broker: &Arc<Broker>, will: Will) {
    let broker = broker.clone();
    tokio::spawn(async move { publish(&broker, will).await });
}

/// Publishes a will as its client would have, with the rights it has now.
async fn publish(broker: &Broker, will: Will) {
    // Of a storm of them the node gets no more at one time than it takes from one caller.
    let _turn = broker.wills.turns.acquire().await;
    let Will { caller, publication, .. } = will;
    let (topic, client) = (publication.topic.clone(), publication.client.clone());
    // Of one that is here again the newest will is kept.
    let (whose, forgets) = (client.clone(), !broker.registry.is_here(&client));
    let published = if let Some(room) = rooms::said_in(&topic) {
        let found = broker.node.read(|reading| rooms::named(reading, room));
        match found.and_then(|room| Ok((room, draft::draft(&publication.payload)?))) {
            Ok((room, draft)) => {
                let speaker = caller.clone();
                let post = move |node: &mut Node| {
                    if forgets {
                        node.drop_will(&client)?;
                    }
                    node.post_message(&speaker, &room, draft)
                };
                broker.node.call(&caller, post).await.map(drop)
            }
            Err(refusal) => Err(refusal),
        }
    } else if let Some(said) = broker.bindings.hear(&broker.node, &heard(&caller, &publication)) {
        let keep = publication.retain || broker.node.hub.keeps(&topic, publication.qos);
        bound::publish(broker, &caller, publication, (said, keep)).await
    } else if publication.retain || broker.node.hub.keeps(&topic, publication.qos) {
        let publisher = caller.clone();
        let keep = move |node: &mut Node| {
            if forgets {
                node.drop_will(&client)?;
            }
            node.publish(&publisher, publication, None)
        };
        broker.node.call(&caller, keep).await.map(drop)
    } else {
        if forgets {
            drop_kept(broker, &caller, client);
        }
        let publication = Arc::new(publication);
        broker.publish_live(&publication, |reading| {
            reading.may_publish(&reading.actor(&caller)?, &publication.topic)
        })
    };
    if let Err(refusal) = published {
        let (_, words) = words::told(&refusal, topic.as_str());
        tracing::info!(%topic, words, "a will was not published");
        broker.counts.refused.add(1);
        if forgets && !words::is_ours(&refusal) {
            drop_kept(broker, &Caller::Operator, whose);
        }
    }
}

/// A kept will is not to be published any more.
fn drop_kept(broker: &Broker, caller: &Caller, client: SmolStr) {
    let job = move |node: &mut Node| node.drop_will(&client);
    if let Err(refusal) = broker.node.send(caller, job) {
        tracing::info!(?refusal, "a will that is over was not forgotten");
    }
}

/// A will as bindings hear it.
fn heard<'a>(caller: &'a Caller, will: &'a Publication) -> bound::Heard<'a> {
    let (client, topic) = (will.client.as_str(), &will.topic);
    bound::Heard { caller, client, topic, payload: &will.payload, properties: will.properties.as_deref() }
}

impl Connection {
    /// Has the node keep the will of a client that has come, if it matters; or forget one that it had.
    pub(super) fn keep_will(&self) {
        let will = self.will.as_ref().map(|will| will.kept(false, self.session.expiry_s));
        let will = will.filter(wills::is_kept);
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let known = self.broker.node.read(|reading| reading.has_will(&client));
        if will.is_none() && known == Ok(false) {
            return;
        }
        let job = move |node: &mut Node| match will {
            Some(will) => node.set_will(&caller, will),
            None => node.drop_will(&client),
        };
        if let Err(refusal) = self.broker.node.send(&self.caller, job) {
            tracing::info!(client = ?self.session.client, ?refusal, "a will would not outlive a fall of the power");
        }
    }

    /// Has the will of a client that is gone published, now or after a while.
    pub(super) fn leave_will(&mut self, end: &End) {
        let Some(will) = self.will.take() else { return };
        match end {
            End::Left { with_will: false } | End::Rung(Ring::Stopping) => {
                if wills::is_kept(&will.kept(false, 0)) {
                    drop_kept(&self.broker, &self.caller, self.session.client.clone());
                }
                return;
            }
            End::Left { .. } | End::Lost | End::Wrong(_) | End::Rung(_) => {}
        }
        let delay_s = will.delay_s.min(self.session.expiry_s);
        if delay_s == 0 {
            return publish_now(&self.broker, will);
        }
        let kept = will.kept(true, delay_s);
        if wills::is_kept(&kept) {
            let caller = self.caller.clone();
            let job = move |node: &mut Node| node.set_will(&caller, kept);
            if let Err(refusal) = self.broker.node.send(&self.caller, job) {
                tracing::info!(
                    ?refusal,
                    "for how long a will has waited is not known after a fall of the power"
                );
            }
        }
        let until = Instant::now() + Duration::from_secs(u64::from(delay_s));
        // Where too many wait, its time is now.
        if let Some(will) = self.broker.wills.wait(self.session.client.clone(), will, until) {
            publish_now(&self.broker, will);
        }
    }
}

/// Wills of clients that are gone and may come back; one for each client.
pub struct Wills {
    waiting: Mutex<HashMap<SmolStr, (Instant, Will)>>,
    news: Notify,
    turns: Semaphore,
}

impl Default for Wills {
    fn default() -> Self {
        let turns = Semaphore::new(MQTT_WILLS_AT_ONCE);
        Self { waiting: Mutex::default(), news: Notify::default(), turns }
    }
}

impl Wills {
    /// Has a will wait for its time. Where too many wait, it is given back: its time is now.
    pub fn wait(&self, client: SmolStr, will: Will, until: Instant) -> Option<Will> {
        let mut waiting = self.waiting();
        if waiting.len() >= MQTT_WILLS_MAX && !waiting.contains_key(&client) {
            return Some(will);
        }
        waiting.insert(client, (until, will));
        drop(waiting);
        self.news.notify_one();
        None
    }

    /// The client came back, or its session has ended: its will waits no longer.
    pub fn take(&self, client: &str) -> Option<Will> {
        self.waiting().remove(client).map(|(_, will)| will)
    }

    /// The wills whose time has come, whenever it has.
    pub async fn due(&self) -> Vec<Will> {
        loop {
            let news = self.news.notified();
            let first = self.waiting().values().map(|(until, _)| *until).min();
            match first {
                Some(first) => tokio::select! {
                    () = sleep_until(first) => {}
                    () = news => continue,
                },
                None => {
                    news.await;
                    continue;
                }
            }
            let due = self.take_due(Instant::now());
            if !due.is_empty() {
                return due;
            }
        }
    }

    fn take_due(&self, now: Instant) -> Vec<Will> {
        let mut waiting = self.waiting();
        let mut due: Vec<(Instant, SmolStr)> = waiting
            .iter()
            .filter(|(_, (until, _))| *until <= now)
            .map(|(client, (until, _))| (*until, client.clone()))
            .collect();
        due.sort();
        due.iter().filter_map(|(_, client)| waiting.remove(client)).map(|(_, will)| will).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<SmolStr, (Instant, Will)>> {
        self.waiting.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::UserId;
    use crate::chat::publication::Qos;
    use crate::chat::topic::Topic;
    use std::time::Duration;

    fn will(topic: &'static str) -> Will {
        let publication = Publication {
            topic: Topic::fixed(topic),
            payload: Box::default(),
            qos: Qos::Most,
            retain: false,
            expiry_s: None,
            properties: None,
            by: UserId::fixed("linnet"),
            client: SmolStr::default(),
        };
        Will { caller: Caller::Operator, publication, delay_s: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_will_waits_for_its_time_and_is_taken_back_by_a_return() {
        let wills = Wills::default();
        let now = Instant::now();
        for (client, topic, seconds) in [("a", "t/a", 5), ("b", "t/b", 3), ("c", "t/c", 4)] {
            assert!(
                wills.wait(client.into(), will(topic), now + Duration::from_secs(seconds)).is_none(),
                "{client}"
            );
        }
        assert!(wills.take("c").is_some() && wills.take("c").is_none());
        let first = wills.due().await;
        assert_eq!(first[0].publication.topic.as_str(), "t/b");
        assert_eq!(now.elapsed().as_secs(), 3);
        assert_eq!(wills.due().await[0].publication.topic.as_str(), "t/a");
    }
}
