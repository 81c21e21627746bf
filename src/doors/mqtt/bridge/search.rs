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
        let (rule, mut messages) = (self.rule(world), 0);
        let mut hear = |topic: &str, payload: &[u8], _: bool| {
            messages += 1;
            finds.hear(topic, payload);
            true
        };
        listen(&rule, world, self.seconds, &mut hear).await?;
        Ok(messages)
    }

    /// Listens to one filter, until `hear` (topic, payload, whether it was retained) has enough.
    pub async fn look(
        self,
        world: &dyn World,
        filter: &TopicFilter,
        hear: &mut (dyn FnMut(&str, &[u8], bool) -> bool + Send),
    ) -> Result<(), String> {
        let mut rule = self.rule(world);
        let binding = Binding::of(filter.clone(), Template::parse("{payload}").expect("a template"));
        rule.hears = Some(Hears { binding, qos: Qos::AtMostOnce });
        listen(&rule, world, self.seconds, hear).await
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
    rule: &BridgeRule,
    world: &dyn World,
    seconds: u64,
    hear: &mut (dyn FnMut(&str, &[u8], bool) -> bool + Send),
) -> Result<(), String> {
    let mut chance = [0; 32];
    world.fill(&mut chance);
    let opening = timeout(Duration::from_secs(BRIDGE_CONNECT_SECONDS), open(rule, false, chance));
    let filter = rule.hears.as_ref().map_or("#", |hears| hears.binding.topic.as_str());
    let listening = async {
        let (mut wire, _) = opening.await.map_err(|_| Fault::Silent)??;
        wire.subscribe(SUBSCRIPTION_PACKET, &Subscription { filter, at_least_once: false });
        let ended = listen_on(&mut wire, Duration::from_secs(seconds), hear).await;
        wire.take_leave();
        let closed = async { while wire.next(true).await.is_ok() {} };
        // A broker that goes on sending is left without its leave.
        let _ = timeout(Duration::from_millis(BRIDGE_LEAVE_MS), closed).await;
        ended
    };
    listening.await.map_err(|fault| fault.words(rule))
}

async fn listen_on(
    wire: &mut Wire,
    lasts: Duration,
    hear: &mut (dyn FnMut(&str, &[u8], bool) -> bool + Send),
) -> Result<(), Fault> {
    let every = Duration::from_secs(BRIDGE_KEEP_ALIVE_SECONDS);
    let mut pings = interval_at(Instant::now() + every, every);
    let end = sleep(lasts);
    tokio::pin!(end);
    loop {
        tokio::select! {
            heard = wire.next(true) => match heard? {
                Heard::Granted(false) => return Err(Fault::NotGranted),
                Heard::Publication(heard) if !hear(&heard.topic, &heard.payload, heard.retain) => {
                    return Ok(());
                }
                _ => {}
            },
            _ = pings.tick() => wire.ping(),
            () = &mut end => return Ok(()),
        }
    }
}
