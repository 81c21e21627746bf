//! What keeps a message from going round: where it was first said travels with it. A node does not take back what was
//! its own, and takes in once what comes by several ways, because the message keeps its id everywhere.
//!
//! Of what is said at a broker in a form that has no place for that (MQTT 3.1.1, a template), the newest are kept in
//! mind until they are heard again.

use super::wire::Publication;
use crate::base::id::MessageId;
use crate::base::limits::{BRIDGE_ECHOES_MAX, BRIDGE_PAYLOAD_BYTES_MAX};
use heapless::Deque;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Mutex;

/// The user property that carries an origin.
pub(in crate::doors::mqtt) const PROPERTY: &str = "linnet-origin";

/// Where a message was first said, as far as the sender knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::doors::mqtt) struct Origin {
    /// The number of the node that sends it.
    pub node: u64,
    /// Its place there.
    pub seq: u64,
    /// The id it has everywhere.
    pub id: MessageId,
}

#[derive(Deserialize)]
struct Marked {
    id: String,
    origin: Option<MarkedOrigin>,
    seq: Option<u64>,
}

#[derive(Deserialize)]
struct MarkedOrigin {
    node: String,
    seq: u64,
}

impl Origin {
    /// The node's number as it is written.
    pub fn node_text(&self) -> String {
        format!("{:016x}", self.node)
    }

    /// All of it, for the property.
    pub fn text(&self) -> String {
        format!("{}-{}-{}", self.node_text(), self.seq, self.id)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (node, seq, id) = (parts.next()?, parts.next()?, parts.next()?);
        Self::of_parts(node, seq.parse().ok()?, id)
    }

    fn of_parts(node: &str, seq: u64, id: &str) -> Option<Self> {
        let node = (node.len() == 16).then(|| u64::from_str_radix(node, 16).ok()).flatten()?;
        Some(Self { node, seq, id: MessageId::parse(id)? })
    }

    /// What a publication says of its origin; `None` when no linnet said it.
    pub(in crate::doors::mqtt::bridge) fn of(publication: &Publication) -> Option<Self> {
        let property = publication.properties.iter().find(|(name, _)| name == PROPERTY);
        Self::read(property.map(|(_, text)| text.as_str()), &publication.topic, &publication.payload)
    }

    /// The same, by the user property and by what was published where.
    pub fn read(property: Option<&str>, topic: &str, payload: &[u8]) -> Option<Self> {
        if let Some(origin) = property.and_then(Origin::parse) {
            return Some(origin);
        }
        let looks_fit = payload.first() == Some(&b'{') && payload.len() <= BRIDGE_PAYLOAD_BYTES_MAX;
        let marked: Marked = looks_fit.then(|| serde_json::from_slice(payload).ok()).flatten()?;
        match (marked.origin, marked.seq) {
            (Some(origin), _) => Origin::of_parts(&origin.node, origin.seq, &marked.id),
            // The broker of a linnet says what its rooms say; the node is the one behind it.
            (None, Some(seq)) if room_topic(topic, "/msg") => {
                Some(Self { node: UNNAMED, seq, id: MessageId::parse(&marked.id)? })
            }
            _ => None,
        }
    }
}

/// The number of a node that does not say it; none has it.
const UNNAMED: u64 = 0;

/// Whether this is a room's topic at a linnet's own broker.
pub(super) fn room_topic(topic: &str, end: &str) -> bool {
    let room = topic.strip_prefix("linnet/room/").and_then(|rest| rest.strip_suffix(end));
    room.is_some_and(|room| !room.is_empty() && !room.contains('/'))
}

/// The first 8 bytes of SHA-256 over topic and payload; no topic has a NUL.
pub(in crate::doors::mqtt) fn digest(topic: &str, payload: &[u8]) -> u64 {
    let hash = Sha256::new().chain_update(topic).chain_update([0]).chain_update(payload).finalize();
    u64::from_le_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
}

/// What a bridge knows of its own words.
pub(super) struct Guard {
    node: u64,
    echoes: Mutex<Deque<u64, BRIDGE_ECHOES_MAX>>,
}

impl Guard {
    /// The guard of this node.
    pub fn new(node: u64) -> Self {
        Self { node, echoes: Mutex::default() }
    }

    /// The node's number.
    pub fn node(&self) -> u64 {
        self.node
    }

    /// Keeps in mind what is said in a form without origin.
    pub fn said(&self, topic: &str, payload: &[u8]) {
        let mut echoes = self.echoes.lock().expect("no holder of this lock panics");
        if echoes.is_full() {
            echoes.pop_front();
        }
        echoes.push_back(digest(topic, payload)).expect("there is room for one");
    }

    /// Whether this node said it itself. An echo is heard once, and those of what was said before it no more.
    pub fn is_own(&self, publication: &Publication, origin: Option<&Origin>) -> bool {
        if let Some(origin) = origin {
            return origin.node == self.node;
        }
        let mut echoes = self.echoes.lock().expect("no holder of this lock panics");
        if echoes.is_empty() {
            return false;
        }
        let heard = digest(&publication.topic, &publication.payload);
        let Some(at) = echoes.iter().position(|said| *said == heard) else { return false };
        for _ in 0..=at {
            echoes.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(payload: &str, property: Option<&str>) -> Publication {
        Publication {
            topic: "t".to_owned(),
            payload: payload.as_bytes().to_vec().into(),
            properties: property.map(|text| (PROPERTY.to_owned(), text.to_owned())).into_iter().collect(),
            ..Publication::default()
        }
    }

    #[test]
    fn an_origin_is_found_in_a_property_or_in_json() {
        let origin = Origin { node: 0xAB, seq: 7, id: MessageId::parse("a-b").expect("an id") };
        assert_eq!(Origin::of(&heard("on", Some(&origin.text()))), Some(origin.clone()));
        let json = r#"{"text":"x","id":"a-b","origin":{"node":"00000000000000ab","seq":7}}"#;
        assert_eq!(Origin::of(&heard(json, None)), Some(origin));
        for other in
            ["on", "{}", r#"{"id":"a","origin":"here"}"#, r#"{"id":"a","origin":{"node":"1","seq":7}}"#]
        {
            assert_eq!(Origin::of(&heard(other, Some("x-y"))), None, "{other}");
        }
    }

    #[test]
    fn what_the_broker_of_a_linnet_says_of_a_room_keeps_its_id() {
        let said = |topic: &str| {
            let mut heard = heard(r#"{"text":"x","id":"a-b","seq":7}"#, None);
            heard.topic = topic.to_owned();
            Origin::of(&heard).map(|origin| origin.id.as_str().to_owned())
        };
        assert_eq!(said("linnet/room/garden/msg").as_deref(), Some("a-b"));
        assert_eq!(said("linnet/room/garden/post").or(said("linnet/room/a/b/msg")).or(said("x/msg")), None);
    }

    #[test]
    fn an_echo_without_origin_is_known_once() {
        let guard = Guard::new(1);
        for word in ["a", "b", "c"] {
            guard.said("t", word.as_bytes());
        }
        let is_own = |word: &str| guard.is_own(&heard(word, None), None);
        assert!(!is_own("x") && is_own("b") && !is_own("b"));
        assert!(!is_own("a"), "it was said before what was heard");
        assert!(is_own("c"));
        for number in 0..BRIDGE_ECHOES_MAX + 1 {
            guard.said("t", number.to_string().as_bytes());
        }
        assert!(!is_own("0") && is_own("1"));
    }

    #[test]
    fn what_was_said_here_is_told_from_what_was_said_elsewhere() {
        let guard = Guard::new(0xAB);
        let origin = |node| Origin { node, seq: 7, id: MessageId::parse("a").expect("an id") };
        assert!(guard.is_own(&heard("on", None), Some(&origin(0xAB))));
        assert!(!guard.is_own(&heard("on", None), Some(&origin(0xAC))));
    }
}
