//! What arrived from a broker, as it will be posted: a text and what tells a redelivery. The payload goes here.

use super::rule::BridgeRule;
use crate::base::limits::BRIDGE_PAYLOAD_BYTES_MAX;
use crate::chat::change::Via;
use crate::chat::message::Draft;
use crate::chat::name::Text;
use rumqttc::{Publish, QoS};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A publication on its way to the room.
pub(super) struct Arrival {
    /// What has to be acknowledged, without topic and payload.
    pub publish: Publish,
    /// What to post; `None` for what is passed over.
    pub post: Option<Post>,
}

/// What a publication says, and by which delivery.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub draft: Draft,
    /// `None` for QoS 0, which no broker repeats.
    pub via: Option<Via>,
    pub redelivered: bool,
}

impl Arrival {
    /// Reads a publication by the rule.
    pub fn new(rule: &BridgeRule, mut publish: Publish) -> Self {
        // A session keeps the filters of former rules; what only they ask for is not for this room.
        let wanted = !publish.retain && rule.topic.matches(&publish.topic);
        let post = wanted.then(|| Post::new(rule, &publish)).flatten();
        publish.payload = Default::default();
        publish.topic = String::new();
        Self { publish, post }
    }
}

impl Post {
    fn new(rule: &BridgeRule, publish: &Publish) -> Option<Self> {
        let said = rule.template.render(&publish.topic, &shown(&publish.payload));
        // A template keeps the bounds of a text; one that says nothing is no message.
        let text = Text::parse(&said).ok().filter(|text| !text.is_blank())?;
        let via = (publish.qos != QoS::AtMostOnce).then(|| Via {
            bridge: rule.name.as_str().into(),
            packet: publish.pkid,
            digest: digest(&publish.topic, &publish.payload),
        });
        Some(Self { draft: Draft { text, ..Draft::default() }, via, redelivered: publish.dup })
    }
}

/// The payload, or a hint of what it was when nobody would read it: a picture, a firmware, a whole device list.
fn shown(payload: &[u8]) -> Cow<'_, [u8]> {
    if payload.len() <= BRIDGE_PAYLOAD_BYTES_MAX {
        return Cow::Borrowed(payload);
    }
    Cow::Owned(format!("({} bytes, too large to show)", payload.len()).into_bytes())
}

/// The first 8 bytes of SHA-256 over topic and payload; no topic has a NUL.
fn digest(topic: &str, payload: &[u8]) -> u64 {
    let hash = Sha256::new().chain_update(topic).chain_update([0]).chain_update(payload).finalize();
    u64::from_le_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::super::rule::{Broker, Password, Qos, TopicFilter};
    use super::super::template::Template;
    use super::*;
    use crate::chat::name::Name;

    fn rule(topic: &str) -> BridgeRule {
        BridgeRule {
            name: "porch".to_owned(),
            broker: Broker { host: "localhost".to_owned(), port: 1883 },
            user: None,
            password: Password::None,
            client_id: "linnet-porch".to_owned(),
            topic: TopicFilter::parse(topic).expect(topic),
            room: Name::fixed("garden"),
            template: Template::parse("{topic.1}: {payload}").expect("a template"),
            qos: Qos::AtLeastOnce,
        }
    }

    fn publish(topic: &str, payload: &[u8]) -> Publish {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        publish.pkid = 7;
        publish
    }

    fn said(filter: &str, publish: Publish) -> Option<String> {
        let post = Arrival::new(&rule(filter), publish).post?;
        Some(post.draft.text.as_str().to_owned())
    }

    #[test]
    fn a_publication_is_said_and_its_delivery_noted() {
        let arrival = Arrival::new(&rule("tele/#"), publish("tele/porch", b"ON"));
        let post = arrival.post.expect("it is wanted");
        assert_eq!(post.draft.text.as_str(), "porch: ON");
        assert_eq!(post.via.expect("QoS 1 has a delivery").packet, 7);
        assert!(arrival.publish.payload.is_empty() && arrival.publish.pkid == 7);
        assert_ne!(digest("a", b"bc"), digest("ab", b"c"));
    }

    #[test]
    fn what_is_retained_or_of_another_rule_is_passed_over() {
        let mut retained = publish("tele/porch", b"ON");
        retained.retain = true;
        assert_eq!(said("tele/#", retained), None);
        assert_eq!(said("stat/#", publish("tele/porch", b"ON")), None);
    }

    #[test]
    fn a_large_payload_becomes_a_hint() {
        let large = vec![b'x'; BRIDGE_PAYLOAD_BYTES_MAX + 1];
        let hint = format!("camera: ({} bytes, too large to show)", large.len());
        assert_eq!(said("#", publish("home/camera", &large)), Some(hint));
    }

    #[test]
    fn qos_0_has_no_delivery_to_tell_apart() {
        let mut once = publish("tele/porch", b"ON");
        once.qos = QoS::AtMostOnce;
        let post = Arrival::new(&rule("#"), once).post.expect("it is wanted");
        assert_eq!(post.via, None);
    }
}
