//! Has Home Assistant at an outside broker find the node, its public rooms and its devices: what it reads is retained
//! there, and what it sends to a room is said by the bridge's user. By a connection beside the bridge's own, with its own
//! birth and last will.
//!
//! What the broker still retains of a former time is heard first: only what differs is published, and what is no more is
//! taken away.

use super::fault::Fault;
use super::rule::{BridgeRule, Found};
use super::session::{open, state};
use super::waits::Waits;
use super::wire::{Heard, Publication, Sent, Subscription, Wire};
use super::{find_place, stopped, waited};
use crate::base::id::UserId;
use crate::base::limits::{
    BRIDGE_CONNECT_SECONDS, BRIDGE_KEEP_ALIVE_SECONDS, BRIDGE_LEAVE_MS, BRIDGE_WINDOW_MAX, OWN_LOOK_MS,
    OWN_STATE_LOOKS,
};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;
use crate::doors::mqtt::home_assistant::{Asset, Discovery, Thing, assets, parts};
use crate::doors::mqtt::server::draft::draft;
use crate::node::{Caller, Catalog, Node, NodeHandle, Reading, refuse};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

/// Packet ids of what is asked to be heard; publications have others.
const ASKED: [u16; 3] = [65_001, 65_002, 65_003];
/// Looks between two signs of life.
const PING_LOOKS: u32 = (BRIDGE_KEEP_ALIVE_SECONDS * 1_000 / OWN_LOOK_MS) as u32;

/// Keeps the node to be found at the broker of a rule that says so, until it has to stop.
pub(super) async fn keep_found(rule: BridgeRule, node: NodeHandle, mut stopping: watch::Receiver<bool>) {
    let Some(found) = rule.found.clone() else { return };
    let mut waits = Waits::new(node.clone());
    let mut told = String::new();
    loop {
        waits.began();
        match find(&rule, &found, &node, &mut stopping).await {
            Ok(()) => return,
            Err(fault) => {
                let words = fault.words(&rule);
                if words != told {
                    tracing::warn!(bridge = rule.name, "Home Assistant does not find the node: {words}");
                    told = words;
                }
            }
        }
        if waited(&mut waits, &mut stopping).await.is_stopping() {
            return;
        }
    }
}

/// One connection, until it breaks or has to stop.
async fn find(
    rule: &BridgeRule,
    found: &Found,
    node: &NodeHandle,
    stopping: &mut watch::Receiver<bool>,
) -> Result<(), Fault> {
    let (user, _, number) = find_place(node, rule).await.map_err(|_| Fault::StoreFailed)?;
    let Found { prefix, base, name } = found.clone();
    let version = env!("CARGO_PKG_VERSION");
    let discovery = Discovery { prefix, base, is_own: false, node: number, name, version };
    let own = BridgeRule {
        client_id: format!("{}-ha", rule.client_id),
        status_topic: Some(discovery.status()),
        hears: None,
        tells: None,
        ..rule.clone()
    };
    let mut chance = [0; 32];
    let _ = node.read(|reading| {
        reading.world().fill(&mut chance);
        Ok(())
    });
    let opening = timeout(Duration::from_secs(BRIDGE_CONNECT_SECONDS), open(&own, false, chance));
    let (wire, welcome) = tokio::select! {
        opened = opening => opened.map_err(|_| Fault::Silent)??,
        () = stopped(stopping) => return Ok(()),
    };
    let window = BRIDGE_WINDOW_MAX.min(welcome.unacknowledged_max.into());
    let mut finding = Finding {
        node,
        discovery,
        user,
        wire,
        window,
        goes: BTreeMap::new(),
        flights: Vec::new(),
        packet: 0,
        retained: BTreeMap::new(),
        is_level: false,
        is_lively: true,
        shaped: None,
        devices: BTreeMap::new(),
        troubles: Vec::new(),
        looks: OWN_STATE_LOOKS,
    };
    finding.work(stopping).await?;
    finding.leave().await
}

/// A connection at work.
struct Finding<'a> {
    node: &'a NodeHandle,
    discovery: Discovery,
    /// Who says what Home Assistant sends.
    user: UserId,
    wire: Wire,
    window: usize,
    /// What is to be published, the newest of each topic.
    goes: BTreeMap<String, Vec<u8>>,
    flights: Vec<u16>,
    packet: u16,
    /// Configurations of this node that the broker retains.
    retained: BTreeMap<String, u64>,
    /// Whether the broker has told what it retains.
    is_level: bool,
    /// Whether it was heard since the last ping.
    is_lively: bool,
    /// How many Changes of rooms, users and devices there were at the last look.
    shaped: Option<u64>,
    /// Devices by their names: the mark of the state, and whether it is connected, in one number.
    devices: BTreeMap<String, u64>,
    troubles: Vec<&'static str>,
    /// Looks since the node said how it is.
    looks: u32,
}

impl Finding<'_> {
    async fn work(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<(), Fault> {
        let prefix = &self.discovery.prefix;
        let filters =
            [format!("{prefix}/device/+/config"), format!("{prefix}/status"), self.discovery.post("+")];
        for (packet, filter) in ASKED.into_iter().zip(&filters) {
            self.wire.subscribe(packet, &Subscription { filter, at_least_once: true });
        }
        // Its answer comes behind what is retained.
        self.wire.ping();
        let mut looks = interval(Duration::from_millis(OWN_LOOK_MS));
        loop {
            tokio::select! {
                heard = self.wire.next(true) => self.take(heard?).await?,
                _ = looks.tick() => self.look()?,
                () = stopped(stopping) => return Ok(()),
            }
            self.send();
        }
    }

    async fn take(&mut self, heard: Heard) -> Result<(), Fault> {
        self.is_lively = true;
        match heard {
            Heard::Granted(false) => return Err(Fault::NotGranted),
            Heard::Acknowledged(packet, _) => self.flights.retain(|flight| *flight != packet),
            Heard::Publication(publication) => {
                self.hear(&publication).await?;
                if let Some(packet) = publication.packet {
                    self.wire.acknowledge(packet);
                }
            }
            Heard::Alive if !self.is_level => {
                self.is_level = true;
                self.goes.insert(self.discovery.status(), state("online").into_bytes());
                self.look()?;
            }
            Heard::Alive | Heard::Granted(true) | Heard::Welcome(_) => {}
        }
        Ok(())
    }

    async fn hear(&mut self, publication: &Publication) -> Result<(), Fault> {
        let topic = &publication.topic;
        if self.discovery.thing(topic).is_some() {
            match &publication.payload[..] {
                b"" => self.retained.remove(topic),
                config => self.retained.insert(topic.clone(), mark_of(config)),
            };
        } else if *topic == self.discovery.birth() {
            if !publication.retain {
                (self.shaped, self.looks) = (None, OWN_STATE_LOOKS);
                self.retained.values_mut().for_each(|mark| *mark = 0);
                self.devices.clear();
            }
        } else if let Some(room) = self.discovery.room_of(topic)
            && !publication.retain
        {
            self.say(room, &publication.payload).await?;
        }
        Ok(())
    }

    /// Says something in a room, if it is one that is found.
    async fn say(&mut self, room: &str, payload: &[u8]) -> Result<(), Fault> {
        let caller = Caller::Bridge(self.user.clone());
        let found = self.node.read(|reading| {
            let actor = reading.actor(&caller)?;
            let room = reading.room_named(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
            let thing = Thing::Room(room.id.clone());
            match self.discovery.is_for(reading, &actor, &thing) {
                true => Ok((room.id.clone(), draft(payload)?)),
                false => Err(Refusal::NoSuchRoom),
            }
        });
        let said = match found {
            Ok((id, draft)) => {
                let speaker = caller.clone();
                let post = move |node: &mut Node| node.post_message(&speaker, &id, draft).map(drop);
                self.node.call(&caller, post).await
            }
            Err(refusal) => Err(refusal),
        };
        match said {
            Ok(()) => Ok(()),
            // Without an acknowledgement the broker knows that it was not taken.
            Err(Refusal::StoreFailed) => Err(Fault::StoreFailed),
            Err(Refusal::DiskFull) => Err(Fault::DiskFull),
            Err(refusal) => {
                tracing::info!(room, ?refusal, "what Home Assistant sent was not said");
                Ok(())
            }
        }
    }

    /// Has published what is not as it was.
    fn look(&mut self) -> Result<(), Fault> {
        self.looks += 1;
        if self.looks.is_multiple_of(PING_LOOKS) {
            if !self.is_lively {
                return Err(Fault::Silent);
            }
            self.is_lively = false;
            self.wire.ping();
        }
        if !self.is_level {
            return Ok(());
        }
        let node = self.node;
        let shaped = node.counts().shaped();
        let is_shaped = self.shaped.replace(shaped) != Some(shaped);
        let looked = node.read(|reading| {
            let assets = assets(reading)?;
            self.look_at_devices(reading, &assets)?;
            if is_shaped {
                self.look_at_all(reading, &assets)?;
            }
            Ok(())
        });
        looked.map_err(|_| Fault::StoreFailed)?;
        let troubles = parts::troubles(node);
        if self.looks >= OWN_STATE_LOOKS || troubles != self.troubles {
            (self.looks, self.troubles) = (0, troubles);
            let sessions = node.hub.topics_counts().seats;
            let state = parts::node_state(node, sessions, self.discovery.version);
            self.goes.insert(self.discovery.node_state(), state);
        }
        Ok(())
    }

    fn look_at_all(&mut self, reading: &Reading, assets: &[Asset]) -> Result<(), Refusal> {
        let actor = reading.actor(&Caller::Bridge(self.user.clone()))?;
        let mut gone = self.retained.clone();
        for asset in assets {
            let thing = asset.thing();
            let is_meant = match thing {
                Thing::Room(_) => self.discovery.is_for(reading, &actor, &thing),
                Thing::Node | Thing::Device(_) => true,
            };
            if is_meant {
                gone.remove(&self.discovery.topic(&thing));
                self.look_at_config(reading, asset);
            }
        }
        self.goes.extend(gone.into_keys().map(|topic| (topic, Vec::new())));
        Ok(())
    }

    fn look_at_config(&mut self, reading: &Reading, asset: &Asset) {
        let (topic, config) =
            (self.discovery.topic(&asset.thing()), self.discovery.config_of(reading, asset));
        let mark = mark_of(&config);
        if self.retained.insert(topic.clone(), mark) != Some(mark) {
            self.goes.insert(topic, config);
        }
    }

    /// Whether devices are connected, and what they report.
    fn look_at_devices(&mut self, reading: &Reading, assets: &[Asset]) -> Result<(), Refusal> {
        let mut gone = std::mem::take(&mut self.devices);
        for asset in assets {
            let Asset::Device(user) = asset else { continue };
            let (name, is_here) = (user.username.as_str(), self.node.hub.hears_topics(&user.id));
            let topic = Topic::parse(&format!("linnet/device/{name}/state"))?;
            let mark = reading.retained_mark(&topic)?.map_or(0, |mark| mark + 1);
            let before = gone.remove(name);
            if before.is_none_or(|before| (before & 1 == 1) != is_here) {
                let word = if is_here { "online" } else { "offline" };
                self.goes.insert(self.discovery.here(name), word.into());
            }
            if before.unwrap_or(0) >> 1 != mark {
                let state = reading.retained_of(&topic)?.map(|(_, state)| state.payload.to_vec());
                self.goes.insert(self.discovery.device_state(name), state.unwrap_or_default());
                self.look_at_config(reading, asset);
            }
            self.devices.insert(name.to_owned(), mark << 1 | u64::from(is_here));
        }
        for name in gone.into_keys() {
            self.goes.insert(self.discovery.here(&name), Vec::new());
            self.goes.insert(self.discovery.device_state(&name), Vec::new());
        }
        Ok(())
    }

    /// Publishes as much as the broker takes at one time.
    fn send(&mut self) {
        while self.is_level && self.flights.len() < self.window {
            let Some((topic, payload)) = self.goes.pop_first() else { return };
            self.packet = self.packet % (ASKED[0] - 1) + 1;
            self.flights.push(self.packet);
            let (topic, payload, packet) = (topic.as_str(), &payload[..], self.packet);
            self.wire.publish(&Sent { topic, payload, packet, again: false, retain: true, properties: &[] });
        }
    }

    /// Says that the node goes, and waits until the broker knows.
    async fn leave(mut self) -> Result<(), Fault> {
        if !self.is_level {
            return Ok(());
        }
        self.goes = BTreeMap::from([(self.discovery.status(), state("offline").into_bytes())]);
        self.window += 1;
        self.send();
        let farewell = async {
            while !self.flights.is_empty() {
                if let Heard::Acknowledged(packet, _) = self.wire.next(true).await? {
                    self.flights.retain(|flight| *flight != packet);
                }
            }
            self.wire.take_leave();
            while self.wire.next(true).await.is_ok() {}
            Ok(())
        };
        timeout(Duration::from_millis(BRIDGE_LEAVE_MS), farewell).await.unwrap_or(Ok(()))
    }
}

fn mark_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish().max(1)
}
