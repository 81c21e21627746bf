//! Says what has changed about the node, its rooms and its devices to those who listen: a look every second, and nothing
//! before somebody wanted to know.

use super::{Broker, HERE, NODE_STATE, here};
use crate::base::limits::{OWN_LOOK_MS, OWN_STATE_LOOKS};
use crate::chat::refusal::Refusal;
use crate::doors::mqtt::home_assistant::{Asset, Discovery, assets, parts};
use crate::node::Reading;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What was said last.
#[derive(Default)]
struct Known {
    /// How many Changes of rooms, users and devices there were; none before the first look.
    shaped: Option<u64>,
    /// How often clients came and went.
    moves: u64,
    /// Configurations by their topics.
    configs: BTreeMap<String, u64>,
    /// Devices, and whether each was connected.
    here: BTreeMap<String, u64>,
    troubles: Vec<&'static str>,
    /// Looks since the node said how it is.
    looks: u32,
}

/// Says what changes, for as long as it is polled.
pub async fn tell(broker: Arc<Broker>) {
    broker.own.wanted.notified().await;
    let mut known = Known::default();
    let mut every = tokio::time::interval(Duration::from_millis(OWN_LOOK_MS));
    loop {
        every.tick().await;
        if let Err(refusal) = look(&broker, &mut known) {
            tracing::debug!(?refusal, "what the node says of itself cannot be read now");
        }
    }
}

fn look(broker: &Broker, known: &mut Known) -> Result<(), Refusal> {
    let again = broker.own.again.swap(false, Ordering::SeqCst);
    let (shaped, moves) = (broker.node.counts().shaped(), broker.registry.moves());
    let is_shaped = known.shaped.replace(shaped) != Some(shaped);
    let reported = std::mem::take(&mut *broker.own.reported());
    if let Some(discovery) = broker.own.discovery.get() {
        if again || is_shaped {
            say_all(broker, discovery, known, again)?;
        } else if !reported.is_empty() {
            let is_meant = |asset: &Asset| match asset {
                Asset::Device(user) => reported.contains(&user.username.folded()),
                Asset::Node | Asset::Room(..) => false,
            };
            let assets = broker.node.read(assets)?;
            for asset in assets.iter().filter(|asset| is_meant(asset)) {
                say_config(broker, discovery, known, asset, false)?;
            }
        }
    }
    if is_shaped || moves != known.moves {
        known.moves = moves;
        say_who_is_here(broker, known)?;
    }
    let troubles = parts::troubles(&broker.node);
    known.looks += 1;
    if again || known.looks >= OWN_STATE_LOOKS || troubles != known.troubles {
        (known.looks, known.troubles) = (0, troubles);
        broker.say(NODE_STATE, broker.node_state());
    }
    Ok(())
}

/// Says all configurations that are not as they were, or all; and of those that are gone that they are.
fn say_all(broker: &Broker, discovery: &Discovery, known: &mut Known, again: bool) -> Result<(), Refusal> {
    let mut gone = std::mem::take(&mut known.configs);
    for asset in broker.node.read(assets)? {
        let topic = discovery.topic(&asset.thing());
        known.configs.extend(gone.remove_entry(&topic));
        say_config(broker, discovery, known, &asset, again)?;
    }
    gone.into_keys().for_each(|topic| broker.say(&topic, Vec::new()));
    Ok(())
}

fn say_config(
    broker: &Broker,
    discovery: &Discovery,
    known: &mut Known,
    asset: &Asset,
    again: bool,
) -> Result<(), Refusal> {
    let topic = discovery.topic(&asset.thing());
    let config = broker.node.read(|reading: &Reading| Ok(discovery.config_of(reading, asset)))?;
    let mut hasher = DefaultHasher::new();
    config.hash(&mut hasher);
    if let Asset::Room(_, speakers) = asset {
        // Who has come to speak there, or may no longer, is told of the room.
        speakers.hash(&mut hasher);
    }
    let mark = hasher.finish();
    if known.configs.insert(topic.clone(), mark) != Some(mark) || again {
        broker.say(&topic, config);
    }
    Ok(())
}

fn say_who_is_here(broker: &Broker, known: &mut Known) -> Result<(), Refusal> {
    let mut gone = std::mem::take(&mut known.here);
    for (name, is_here) in broker.node.read(|reading| broker.devices_here(reading))? {
        if gone.remove(name.as_str()) != Some(is_here.into()) {
            broker.say(&format!("{HERE}{name}"), here(is_here));
        }
        known.here.insert(name.into(), is_here.into());
    }
    gone.into_keys().for_each(|name| broker.say(&format!("{HERE}{name}"), Vec::new()));
    Ok(())
}
