//! The inbound bridge: a real Mosquitto and real publishers; and a scripted broker for what happens only by chance.

mod real;
mod scripted;

use crate::harness::alive::Alive;
use linnet::chat::name::Name;
use linnet::doors::mqtt::bridge::rule::{BridgeRule, Broker, Password, Qos, TopicFilter};
use linnet::doors::mqtt::bridge::status::Status;
use linnet::doors::mqtt::bridge::{self, template::Template};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A rule that says each payload as it is in #garden.
fn rule(port: u16, topic: &str) -> BridgeRule {
    BridgeRule {
        name: "porch".to_owned(),
        broker: Broker { host: "127.0.0.1".to_owned(), port },
        user: None,
        password: Password::None,
        client_id: "linnet-porch".to_owned(),
        topic: TopicFilter::parse(topic).unwrap(),
        room: Name::fixed("garden"),
        template: Template::parse("{payload}").unwrap(),
        qos: Qos::AtLeastOnce,
    }
}

/// A bridge at work.
struct Bridge {
    status: Arc<Status>,
    stop: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

impl Bridge {
    fn start(alive: &Alive, rule: BridgeRule) -> Bridge {
        let status = Arc::new(Status::new(&rule));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let work = tokio::spawn(bridge::run(rule, alive.node.clone(), status.clone(), shutdown));
        Bridge { status, stop, work }
    }

    /// Stops as the node does when it is told to end.
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.work.await.unwrap();
    }

    /// Ends in the middle of whatever it does.
    async fn kill(self) {
        self.work.abort();
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
