//! What arrived from a broker, as it will be posted: a text and what tells a redelivery. The payload goes here.

use super::guard::{Guard, Origin, digest};
use super::rule::{BridgeRule, Hears};
use super::wire::Publication;
use crate::chat::change::Via;
use crate::chat::message::Draft;
use crate::chat::name::Text;
use crate::doors::mqtt::binding::{Key, Memory, Verdict, Word};
use tokio::time::Instant;

/// A publication on its way to the room.
pub(super) struct Arrival {
    /// What has to be acknowledged.
    pub packet: Option<u16>,
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
    /// Of what the binding notes that it was said.
    pub key: Key,
}

impl Arrival {
    /// Reads a publication by the rule.
    pub fn new(rule: &BridgeRule, guard: &Guard, memory: &mut Memory, publication: Publication) -> Self {
        // A session keeps the filters of former rules; what only they ask for is not for this room.
        let asked = |hears: &&Hears| !publication.retain && hears.binding.topic.matches(&publication.topic);
        let is_status = rule.status_topic.as_deref() == Some(&publication.topic);
        let hears = rule.hears.as_ref().filter(asked).filter(|_| !is_status);
        let post = hears.and_then(|hears| Post::new(rule, hears, (guard, memory), &publication));
        Self { packet: publication.packet, post }
    }
}

impl Post {
    fn new(
        rule: &BridgeRule,
        hears: &Hears,
        (guard, memory): (&Guard, &mut Memory),
        publication: &Publication,
    ) -> Option<Self> {
        let origin = Origin::of(publication);
        if guard.is_own(publication, origin.as_ref()) {
            return None;
        }
        let now = Instant::now();
        let heard = (publication.topic.as_str(), &publication.payload[..]);
        let Verdict::Said(word) = memory.judge((0, &hears.binding), heard, now, None) else { return None };
        let text = text_of(&word)?;
        memory.said(&word, now);
        let via = publication.packet.map(|packet| Via {
            bridge: rule.name.as_str().into(),
            packet,
            digest: digest(&publication.topic, &publication.payload),
        });
        // With the id it has elsewhere it is taken once, whichever way it comes.
        let id = origin.map(|origin| origin.id);
        Some(Self {
            draft: Draft { text, id, ..Draft::default() },
            via,
            redelivered: publication.redelivered,
            key: word.key,
        })
    }

    /// What was withheld until now.
    pub fn later(word: Word) -> Option<Self> {
        let draft = Draft { text: text_of(&word)?, ..Draft::default() };
        Some(Self { draft, via: None, redelivered: false, key: word.key })
    }
}

/// A template keeps the bounds of a text; one that says nothing is no message.
fn text_of(word: &Word) -> Option<Text> {
    Text::parse(&word.text).ok().filter(|text| !text.is_blank())
}

#[cfg(test)]
mod tests {
    use super::super::broker::{Broker, Certificates, Version};
    use super::super::rule::{Password, Qos};
    use super::*;
    use crate::base::limits::BRIDGE_PAYLOAD_BYTES_MAX;
    use crate::chat::name::Name;
    use crate::doors::mqtt::binding::{Binding, Template, TopicFilter};

    fn rule(topic: &str) -> BridgeRule {
        BridgeRule {
            name: "porch".to_owned(),
            broker: Broker::parse("mqtt://localhost", false).expect("an address").0,
            version: Version::V4,
            certificates: Certificates::default(),
            user: None,
            password: Password::None,
            client_id: "linnet-porch".to_owned(),
            room: Name::fixed("garden"),
            hears: Some(Hears {
                binding: Binding::of(
                    TopicFilter::parse(topic).expect(topic),
                    Template::parse("{topic.1}: {payload}").expect("a template"),
                ),
                qos: Qos::AtLeastOnce,
            }),
            tells: None,
            status_topic: Some("tele/linnet".to_owned()),
            found: None,
            fellows: Vec::new(),
        }
    }

    fn publish(topic: &str, payload: &[u8]) -> Publication {
        let (topic, payload) = (topic.to_owned(), payload.to_vec().into());
        Publication { topic, payload, packet: Some(7), ..Publication::default() }
    }

    fn said(filter: &str, publish: Publication) -> Option<String> {
        let post = Arrival::new(&rule(filter), &Guard::new(1), &mut Memory::default(), publish).post?;
        Some(post.draft.text.as_str().to_owned())
    }

    #[test]
    fn a_publication_is_said_and_its_delivery_noted() {
        let arrival = Arrival::new(
            &rule("tele/#"),
            &Guard::new(1),
            &mut Memory::default(),
            publish("tele/porch", b"ON"),
        );
        let post = arrival.post.expect("it is wanted");
        assert_eq!(post.draft.text.as_str(), "porch: ON");
        assert_eq!(post.via.expect("QoS 1 has a delivery").packet, 7);
        assert_eq!(arrival.packet, Some(7));
        assert_ne!(digest("a", b"bc"), digest("ab", b"c"));
    }

    #[test]
    fn what_is_retained_or_of_another_rule_is_passed_over() {
        let mut retained = publish("tele/porch", b"ON");
        retained.retain = true;
        assert_eq!(said("tele/#", retained), None);
        assert_eq!(said("stat/#", publish("tele/porch", b"ON")), None);
        assert_eq!(said("#", publish("tele/linnet", b"online")), None, "the bridge's own state");
    }

    #[test]
    fn a_message_keeps_its_id_and_does_not_come_home() {
        let heard = |node: &str| {
            let json = format!(r#"{{"text":"x","id":"a-b","origin":{{"node":"{node}","seq":7}}}}"#);
            Arrival::new(&rule("#"), &Guard::new(1), &mut Memory::default(), publish("t", json.as_bytes()))
                .post
        };
        let post = heard("0000000000000002").expect("it is from elsewhere");
        assert_eq!(post.draft.id.expect("an id").as_str(), "a-b");
        assert!(heard("0000000000000001").is_none());
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
        once.packet = None;
        let post = Arrival::new(&rule("#"), &Guard::new(1), &mut Memory::default(), once)
            .post
            .expect("it is wanted");
        assert_eq!(post.via, None);
    }
}
