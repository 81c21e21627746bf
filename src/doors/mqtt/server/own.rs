//! What the node itself says of topics: whether it is there, how it is and which devices are, its figures, and what Home
//! Assistant wants to know of all that. None of it lies on the disk: whoever subscribes hears how things stand, as if it
//! were retained, and whoever listens hears what changes. A wildcard for the first level asks for none of it, as it
//! asks for none of `$SYS`.

mod announce;

pub use announce::tell;

use super::Broker;
use super::connection::Connection;
use super::session::Delivery;
use super::sys::{FIGURES, figures};
use crate::base::id::UserId;
use crate::base::limits::{HA_DEVICES_MAX, MQTT_RETAINED_AT_ONCE};
use crate::chat::publication::{Publication, Qos};
use crate::chat::refusal::Refusal;
use crate::chat::topic::{Filter, Topic};
use crate::doors::mqtt::home_assistant::{Asset, Discovery, assets, parts};
use crate::node::caller::NODE_USER;
use crate::node::{Catalog, Reading, refuse};
use smol_str::SmolStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::Notify;

/// Whether the node is there, for everyone.
const STATUS: &str = "linnet/status";
/// How the node is.
const NODE_STATE: &str = "linnet/status/node";
/// Whether a device is connected; its name follows.
const HERE: &str = "linnet/status/device/";

/// What is known of those who hear the node itself.
#[derive(Default)]
pub(super) struct Own {
    /// Where Home Assistant looks, unless it is told nothing.
    pub discovery: OnceLock<Discovery>,
    /// Whether anybody ever wanted to hear more than the status; until then nothing is looked at.
    is_wanted: AtomicBool,
    wanted: Notify,
    /// Home Assistant has come, and is told everything again.
    again: AtomicBool,
    /// Devices that published a state since the last look.
    reported: Mutex<Vec<SmolStr>>,
}

/// Something that the node says.
enum Subject {
    /// Whether it is there.
    Status,
    /// How it is.
    Node,
    /// Whether a device is connected.
    Here(SmolStr, bool),
    /// A figure with its name.
    Figure(String, String),
    /// A configuration for Home Assistant.
    Config(Asset),
}

impl Own {
    fn want(&self) {
        if !self.is_wanted.swap(true, Ordering::SeqCst) {
            self.wanted.notify_one();
        }
    }

    fn reported(&self) -> MutexGuard<'_, Vec<SmolStr>> {
        self.reported.lock().expect("no holder of this lock panics")
    }

    /// Notes what was published, where the node has something to say after it.
    pub fn note_published(&self, topic: &Topic) {
        let Some(discovery) = self.discovery.get().filter(|_| self.is_wanted.load(Ordering::Relaxed)) else {
            return;
        };
        let text = topic.as_str();
        if let Some(device) = text.strip_prefix("linnet/device/").and_then(|rest| rest.strip_suffix("/state"))
        {
            let (mut reported, device) = (self.reported(), SmolStr::new(device.to_ascii_lowercase()));
            if reported.len() < HA_DEVICES_MAX && !reported.contains(&device) {
                reported.push(device);
            }
        } else if text.strip_suffix("/status") == Some(&discovery.prefix) {
            self.again.store(true, Ordering::SeqCst);
        }
    }
}

impl Broker {
    /// Says something to all who hear its topic.
    pub(super) fn say(&self, topic: &str, payload: Vec<u8>) {
        let Some(publication) = publication(topic, payload) else { return };
        let told = self.publish_live(&publication, |reading| reading.may_tell(&publication.topic));
        if let Err(refusal) = told {
            tracing::debug!(?refusal, topic, "something was not told");
        }
    }

    /// Says that the node goes, to all who are still there.
    pub(super) fn say_farewell(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.say(STATUS, self.status());
    }

    /// Whether the node is there, as bridges say it at other brokers.
    fn status(&self) -> Vec<u8> {
        let state = if self.stopping.load(Ordering::SeqCst) { "offline" } else { "online" };
        format!(r#"{{"state":"{state}","version":"{}"}}"#, self.settings.version).into_bytes()
    }

    /// How the node is.
    fn node_state(&self) -> Vec<u8> {
        parts::node_state(&self.node, self.registry.count(), self.settings.version)
    }

    /// The devices, and whether each is connected.
    fn devices_here(&self, reading: &Reading) -> Result<Vec<(SmolStr, bool)>, Refusal> {
        let here: Vec<UserId> = self.registry.users();
        let mut devices = Vec::new();
        for device in reading.devices(None, HA_DEVICES_MAX).map_err(refuse)? {
            let user = reading.user(&device.user).map_err(refuse)?;
            devices.extend(user.map(|user| {
                (SmolStr::new(user.username.as_str()), here.binary_search(&device.user).is_ok())
            }));
        }
        Ok(devices)
    }

    /// All that a filter may be about.
    fn subjects(&self, filter: &Filter) -> Vec<Subject> {
        let mut subjects = Vec::new();
        if is_about(filter, STATUS) {
            subjects.push(Subject::Status);
        }
        if self.settings.sys_interval_s > 0 && is_about(filter, FIGURES) {
            subjects.extend(figures(self).into_iter().map(|(name, figure)| Subject::Figure(name, figure)));
        }
        if is_about(filter, NODE_STATE) {
            subjects.push(Subject::Node);
            self.own.want();
        }
        if is_about(filter, HERE) {
            let devices = self.node.read(|reading| self.devices_here(reading)).unwrap_or_default();
            subjects.extend(devices.into_iter().map(|(name, is_here)| Subject::Here(name, is_here)));
            self.own.want();
        }
        let discovery = self.own.discovery.get();
        if discovery.is_some_and(|known| is_about(filter, &format!("{}/device/", known.prefix))) {
            let assets = self.node.read(assets).unwrap_or_default();
            subjects.extend(assets.into_iter().map(Subject::Config));
            self.own.want();
        }
        subjects
    }

    fn said_of(&self, subject: &Subject) -> Option<Arc<Publication>> {
        match subject {
            Subject::Status => publication(STATUS, self.status()),
            Subject::Node => publication(NODE_STATE, self.node_state()),
            Subject::Here(name, is_here) => publication(&format!("{HERE}{name}"), here(*is_here)),
            Subject::Figure(name, figure) => {
                publication(&format!("{FIGURES}{name}"), figure.clone().into_bytes())
            }
            Subject::Config(asset) => {
                let discovery = self.own.discovery.get()?;
                let config = self.node.read(|reading| Ok(discovery.config_of(reading, asset))).ok()?;
                publication(&discovery.topic(&asset.thing()), config)
            }
        }
    }
}

/// Whether a device is there, in a word.
fn here(is_here: bool) -> Vec<u8> {
    if is_here { b"online".to_vec() } else { b"offline".to_vec() }
}

impl Connection {
    /// Tells some of what the node says of the topics of a filter, from the subject on that has this number; the number
    /// from which to go on.
    pub(super) fn tell_own(
        &mut self,
        filter: &Filter,
        (qos, id): (Qos, Option<u32>),
        from: usize,
    ) -> Option<usize> {
        let subjects = self.broker.subjects(filter);
        let next = from + MQTT_RETAINED_AT_ONCE;
        for subject in subjects.iter().skip(from).take(MQTT_RETAINED_AT_ONCE) {
            let Some(publication) = self.broker.said_of(subject) else { continue };
            if filter.matches(&publication.topic) && self.finds(&publication.topic) {
                let (qos, ids) = (qos.min(publication.qos), id.into_iter().collect());
                let (seq, retain) = (None, true);
                self.offer(Delivery {
                    publication,
                    seq,
                    qos,
                    retain,
                    ids,
                    at_ms: 0,
                    shared: None,
                    shared_by: None,
                });
            }
        }
        (subjects.len() > next).then_some(next)
    }

    /// What this client hears of something that was published: all, but what the node says to those who name its topic,
    /// and of a configuration that is not for them, that there is none.
    pub(super) fn heard_of(&self, publication: &Arc<Publication>) -> Option<Arc<Publication>> {
        if publication.by != NODE_USER {
            return Some(publication.clone());
        }
        let names =
            |filter: &Filter| !filter.as_str().starts_with(['+', '#']) && filter.matches(&publication.topic);
        if !self.hears.iter().any(|hears| names(&hears.filter)) {
            return None;
        }
        if self.finds(&publication.topic) {
            return Some(publication.clone());
        }
        Some(Arc::new(Publication { payload: Box::default(), ..(**publication).clone() }))
    }

    /// Whether what a topic of the node's is about is for this client.
    fn finds(&self, topic: &Topic) -> bool {
        let Some(discovery) = self.broker.own.discovery.get() else { return true };
        let Some(thing) = discovery.thing(topic.as_str()) else { return true };
        let found = self.broker.node.read(|reading| {
            let actor = reading.actor(&self.caller)?;
            Ok(discovery.is_for(reading, &actor, &thing))
        });
        found == Ok(true)
    }
}

/// Whether a filter may match topics that begin like this.
fn is_about(filter: &Filter, beginning: &str) -> bool {
    let literal = filter.literal_beginning();
    !literal.is_empty() && (literal.starts_with(beginning) || beginning.starts_with(literal))
}

/// Something that the node publishes.
fn publication(topic: &str, payload: Vec<u8>) -> Option<Arc<Publication>> {
    Some(Arc::new(Publication {
        topic: Topic::parse(topic).ok()?,
        payload: payload.into(),
        qos: Qos::Most,
        retain: true,
        expiry_s: None,
        properties: None,
        by: NODE_USER,
        client: SmolStr::default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_about_what_it_may_match() {
        let is_about = |filter: &str, beginning| is_about(&Filter::parse(filter).unwrap(), beginning);
        for filter in ["linnet/status", "linnet/#", "linnet/+", "linnet/status/#"] {
            assert!(is_about(filter, STATUS), "{filter}");
        }
        for filter in ["linnet/room/+/msg", "a/#", "$SYS/#", "#", "+/status"] {
            assert!(!is_about(filter, STATUS), "{filter}");
        }
        assert!(is_about("$SYS/broker/clients/+", FIGURES) && is_about("$SYS/#", FIGURES));
        assert!(!is_about("#", FIGURES) && !is_about("$share", FIGURES));
    }
}
