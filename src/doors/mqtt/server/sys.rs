//! The figures of the broker under `$SYS/broker/`, told while somebody wants to hear them.

use super::Broker;
use crate::base::id::UserId;
use crate::chat::publication::{Publication, Qos, group_of};
use crate::chat::topic::Topic;
use crate::node::caller::NODE_USER;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One figure that only grows.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// At least so many.
    pub fn reach(&self, height: u64) {
        self.0.fetch_max(height, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that is counted.
#[derive(Default)]
pub struct Counts {
    /// Packets that came in.
    pub packets_in: Count,
    /// Packets that went out.
    pub packets_out: Count,
    /// Bytes that came in.
    pub bytes_in: Count,
    /// Bytes that went out.
    pub bytes_out: Count,
    /// Publications that came in.
    pub published: Count,
    /// Publications that went out.
    pub delivered: Count,
    /// Publications that were refused, also where the client could not be told.
    pub refused: Count,
    /// Most clients at one time.
    pub clients_max: Count,
}

/// Tells the figures every so often, for as long as it is polled.
pub async fn tell(broker: Arc<Broker>) {
    let seconds = u64::from(broker.settings.sys_interval_s);
    if seconds == 0 {
        return;
    }
    let mut every = tokio::time::interval(Duration::from_secs(seconds));
    loop {
        every.tick().await;
        if broker.node.hub.topics_counts().seats > 0 {
            for (name, figure) in figures(&broker) {
                tell_one(&broker, name, figure);
            }
        }
    }
}

fn tell_one(broker: &Broker, name: &str, figure: String) {
    let Ok(topic) = Topic::parse(&format!("$SYS/broker/{name}")) else { return };
    let payload = figure.into_bytes().into();
    let (by, client): (UserId, _) = (NODE_USER, SmolStr::default());
    let (expiry_s, properties) = (None, None);
    let publication =
        Publication { topic, payload, qos: Qos::Most, retain: false, expiry_s, properties, by, client };
    let publication = Arc::new(publication);
    let told = broker.publish_live(&publication, |reading| reading.may_tell(&publication.topic));
    if let Err(refusal) = told {
        tracing::debug!(?refusal, name, "a figure was not told");
    }
}

/// The figures by the names that Mosquitto's users know.
fn figures(broker: &Broker) -> Vec<(&'static str, String)> {
    let (counts, here) = (&broker.counts, broker.registry.count());
    let topics = broker.node.hub.topics_counts();
    let sessions = broker
        .node
        .read(|reading| {
            Ok(reading.topic_sessions()?.iter().filter(|one| group_of(&one.client).is_none()).count())
        })
        .unwrap_or_default();
    let number = |number: u64| number.to_string();
    vec![
        ("version", format!("linnet {}", broker.settings.version)),
        ("uptime", format!("{} seconds", broker.now_ms() / 1_000)),
        ("clients/connected", number(here as u64)),
        ("clients/maximum", number(counts.clients_max.get())),
        ("clients/persistent", number(sessions as u64)),
        ("messages/received", number(counts.packets_in.get())),
        ("messages/sent", number(counts.packets_out.get())),
        ("publish/messages/received", number(counts.published.get())),
        ("publish/messages/sent", number(counts.delivered.get())),
        ("publish/messages/refused", number(counts.refused.get())),
        ("publish/messages/dropped", number(topics.dropped)),
        ("bytes/received", number(counts.bytes_in.get())),
        ("bytes/sent", number(counts.bytes_out.get())),
        ("subscriptions/count", number(topics.subscriptions as u64)),
    ]
}
