//! The inbound bridge: a real Mosquitto and real publishers; and a scripted broker for what happens only by chance.

mod carriers;
mod found;
mod outward;
mod real;
mod scripted;
mod search;
mod spoken;
mod two;

use crate::harness::alive::Alive;
use linnet::chat::name::Name;
use linnet::doors::mqtt::binding::{Binding, Template, TopicFilter};
use linnet::doors::mqtt::bridge;
use linnet::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use linnet::doors::mqtt::bridge::rule::{BridgeRule, Hears, Password, Qos};
use linnet::doors::mqtt::bridge::status::Status;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A rule that says each payload as it is in #garden.
fn rule(port: u16, topic: &str) -> BridgeRule {
    BridgeRule {
        name: "porch".to_owned(),
        broker: Broker::parse(&format!("mqtt://127.0.0.1:{port}"), false).unwrap().0,
        version: Version::V4,
        certificates: Certificates::default(),
        user: None,
        password: Password::None,
        client_id: "linnet-porch".to_owned(),
        room: Name::fixed("garden"),
        hears: Some(Hears {
            binding: Binding::of(TopicFilter::parse(topic).unwrap(), Template::parse("{payload}").unwrap()),
            qos: Qos::AtLeastOnce,
        }),
        tells: None,
        status_topic: None,
        found: None,
        fellows: Vec::new(),
    }
}

/// A bridge at work.
struct Bridge {
    status: Arc<Status>,
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
    /// What wakes listeners in a node that serves.
    relay: JoinHandle<()>,
}

impl Bridge {
    fn start(alive: &Alive, rule: BridgeRule) -> Bridge {
        let status = Arc::new(Status::new(&rule));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let work = tokio::spawn(bridge::run(rule, alive.node.clone(), status.clone(), shutdown));
        let hub = alive.node.hub.clone();
        let relay = tokio::spawn(async move { hub.relay().await });
        Bridge { status, stop, work, relay }
    }

    /// Stops as the node does when it is told to end.
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.work.await.unwrap();
        self.relay.abort();
    }

    /// Ends in the middle of whatever it does.
    async fn kill(self) {
        self.work.abort();
        self.relay.abort();
        assert!(self.work.await.unwrap_err().is_cancelled());
    }

    fn is_connected(&self) -> bool {
        self.status.report().connected
    }

    fn error(&self) -> String {
        self.status.report().error.unwrap_or_default()
    }
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| format!("number {number}")).collect()
}
