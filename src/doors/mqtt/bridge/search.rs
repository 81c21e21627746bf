//! Listening to everything at a broker for a while, to find out what is there. Nothing is kept at the broker.

use super::broker::{Broker, Certificates, Version};
use super::fault::Fault;
use super::rule::{BridgeRule, Hears, Password, Qos};
use super::session::{SUBSCRIPTION_PACKET, open};
use super::wire::{Heard, Subscription, Wire};
use crate::base::id::random_text;
use crate::base::limits::{BRIDGE_CONNECT_SECONDS, BRIDGE_KEEP_ALIVE_SECONDS, BRIDGE_LEAVE_MS};
use crate::base::world::World;
use crate::chat::name::Name;
use crate::doors::mqtt::binding::{Binding, Template, TopicFilter};
use crate::doors::mqtt::dialects::Finds;
use std::time::Duration;
use tokio::time::{Instant, interval_at, sleep, timeout};

/// Where to listen, and for how long.
#[derive(Debug, Clone)]
pub struct Search {
    /// The broker.
    pub broker: Broker,
    /// The MQTT it is spoken to in.
    pub version: Version,
    /// Whom to trust there, and what to show.
    pub certificates: Certificates,
    /// Who logs in.
    pub user: Option<String>,
    /// With what.
    pub password: Password,
    /// For how long.
    pub seconds: u64,
}

impl Search {
    /// Listens and puts what is found into `finds`; gives how many messages were heard, or what is wrong and what to do.
    pub async fn run(self, world: &dyn World, finds: &mut Finds) -> Result<u64, String> {
        let rule = self.rule(world);
        let mut chance = [0; 32];
        world.fill(&mut chance);
        let opening = timeout(Duration::from_secs(BRIDGE_CONNECT_SECONDS), open(&rule, false, chance));
        let listening = async {
            let (mut wire, _) = opening.await.map_err(|_| Fault::Silent)??;
            wire.subscribe(SUBSCRIPTION_PACKET, &Subscription { filter: "#", at_least_once: false });
            let mut messages = 0;
            let ended = listen(&mut wire, Duration::from_secs(self.seconds), finds, &mut messages).await;
            wire.take_leave();
            let closed = async { while wire.next(true).await.is_ok() {} };
            // A broker that goes on sending is left without its leave.
            let _ = timeout(Duration::from_millis(BRIDGE_LEAVE_MS), closed).await;
            ended.map(|()| messages)
        };
        listening.await.map_err(|fault| fault.words(&rule))
    }

    fn rule(&self, world: &dyn World) -> BridgeRule {
        let hears = Hears {
            binding: Binding::of(
                TopicFilter::parse("#").expect("a filter"),
                Template::parse("{payload}").expect("a template"),
            ),
            qos: Qos::AtMostOnce,
        };
        BridgeRule {
            name: "search".to_owned(),
            broker: self.broker.clone(),
            version: self.version,
            certificates: self.certificates.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            client_id: format!("linnet-search-{}", random_text(world, 6)),
            room: Name::fixed("search"),
            hears: Some(hears),
            tells: None,
            status_topic: None,
            found: None,
            fellows: Vec::new(),
        }
    }
}

async fn listen(
    wire: &mut Wire,
    lasts: Duration,
    finds: &mut Finds,
    messages: &mut u64,
) -> Result<(), Fault> {
    let every = Duration::from_secs(BRIDGE_KEEP_ALIVE_SECONDS);
    let mut pings = interval_at(Instant::now() + every, every);
    let end = sleep(lasts);
    tokio::pin!(end);
    loop {
        tokio::select! {
            heard = wire.next(true) => match heard? {
                Heard::Granted(false) => return Err(Fault::NotGranted),
                Heard::Publication(publication) => {
                    *messages += 1;
                    finds.hear(&publication.topic, &publication.payload);
                }
                _ => {}
            },
            _ = pings.tick() => wire.ping(),
            () = &mut end => return Ok(()),
        }
    }
}
