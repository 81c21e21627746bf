//! The figures of the broker under `$SYS/broker/`, by the names of mosquitto(8): to whoever subscribes at once, and every
//! so often from then on.

mod load;

use super::Broker;
use crate::chat::publication::group_of;
use crate::chat::refusal::Refusal;
use crate::node::Caller;
use load::Loads;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the topics of all figures begin with.
pub const FIGURES: &str = "$SYS/broker/";

/// One figure.
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

    /// So many now, of what also becomes less.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
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
    /// Clients that were let in.
    pub connections: Count,
    /// Topics with something retained, when somebody last looked.
    retained: Count,
    /// How much of it there was lately.
    loads: Loads,
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
        broker.counts.loads.note(seconds, &broker.counts.flows());
        if broker.node.hub.topics_counts().seats > 0 {
            count_retained(&broker).await;
            for (name, figure) in figures(&broker) {
                broker.say(&format!("{FIGURES}{name}"), figure.into_bytes());
            }
        }
    }
}

/// Asks the writer how many topics have something retained: it counts as it goes.
pub async fn count_retained(broker: &Broker) {
    let counted = broker.node.call(&Caller::Operator, |node| node.retained_topics()).await;
    match counted {
        Ok(retained) => broker.counts.retained.set(retained),
        Err(Refusal::Busy) => {}
        Err(refusal) => tracing::debug!(?refusal, "what is retained was not counted"),
    }
}

impl Counts {
    /// What grows, by the names under which its load is told.
    fn flows(&self) -> [u64; load::FLOWS.len()] {
        let flows = [
            &self.connections,
            &self.bytes_in,
            &self.bytes_out,
            &self.packets_in,
            &self.packets_out,
            &self.published,
            &self.delivered,
        ];
        flows.map(Count::get)
    }
}

/// The figures by the names that Mosquitto's users know.
pub fn figures(broker: &Broker) -> Vec<(String, String)> {
    let (counts, here) = (&broker.counts, broker.registry.count() as u64);
    let topics = broker.node.hub.topics_counts();
    let sessions = broker.node.read(|reading| {
        Ok(reading.topic_sessions()?.iter().filter(|one| group_of(&one.client).is_none()).count())
    });
    let sessions = sessions.unwrap_or_default();
    let away = topics.parked as u64;
    let numbers = [
        ("clients/connected", here),
        ("clients/disconnected", away),
        ("clients/total", here + away),
        ("clients/maximum", counts.clients_max.get()),
        ("clients/persistent", sessions as u64),
        ("messages/received", counts.packets_in.get()),
        ("messages/sent", counts.packets_out.get()),
        // What is kept for a session lies among everything else: it has no store of its own.
        ("messages/stored", counts.retained.get()),
        ("store/messages/count", counts.retained.get()),
        ("retained messages/count", counts.retained.get()),
        ("publish/messages/received", counts.published.get()),
        ("publish/messages/sent", counts.delivered.get()),
        ("publish/messages/refused", counts.refused.get()),
        ("publish/messages/dropped", topics.dropped),
        ("bytes/received", counts.bytes_in.get()),
        ("bytes/sent", counts.bytes_out.get()),
        ("subscriptions/count", topics.subscriptions as u64),
    ];
    let mut all = vec![
        ("version".to_owned(), format!("linnet {}", broker.settings.version)),
        ("uptime".to_owned(), format!("{} seconds", broker.now_ms() / 1_000)),
    ];
    all.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
    all.extend(counts.loads.told());
    all
}
