//! Who hears publications, in which order, and when it stops.

mod keeping;
mod live;
mod lives;
mod order;
mod shared;

use super::stage::{Stage, token, user_id};
use linnet::base::id::Seq;
use linnet::chat::change::What;
use linnet::chat::device::{Device, TopicRights};
use linnet::chat::policy;
use linnet::chat::publication::{Publication, Qos, Subscription};
use linnet::chat::topic::{Filter, Topic};
use linnet::delivery::{Bounds, Reached, Refused, TopicDrained, TopicSeat, TopicWho};
use smol_str::SmolStr;
use std::sync::Arc;

/// One who listens to topics, with who they are.
pub struct Client {
    pub seat: TopicSeat,
    pub user: &'static str,
    pub name: &'static str,
}

pub fn stage() -> Stage {
    Stage::new(Bounds::default())
}

pub fn filter(text: &str) -> Filter {
    Filter::parse(text).expect("a test's filter is one")
}

pub fn subscription(text: &str, qos: Qos) -> Subscription {
    Subscription {
        filter: filter(text),
        share: None,
        qos,
        no_local: false,
        retain_as_published: false,
        id: None,
        made: Seq(0),
    }
}

pub fn publication(user: &str, client: &str, topic: &str, payload: &str, qos: Qos) -> Publication {
    Publication {
        topic: Topic::parse(topic).expect("a test's topic is one"),
        payload: payload.as_bytes().into(),
        qos,
        retain: false,
        expiry_s: None,
        properties: None,
        by: user_id(user),
        client: client.into(),
    }
}

/// A device's rights among topics: it may publish and hear what the filters say.
pub fn rights(user: &str, publish: &[&str], subscribe: &[&str]) -> What {
    let filters = |texts: &[&str]| texts.iter().map(|text| filter(text)).collect();
    let (publish, subscribe) = (filters(publish), filters(subscribe));
    let topics = TopicRights { publish, subscribe, command: Vec::new() };
    What::DeviceSet(Device {
        user: user_id(user),
        bindings: Vec::new(),
        topics,
        certificate: false,
        added_by: None,
        created: 0,
    })
}

pub fn who(stage: &Stage, user: &str, client: &str, is_persistent: bool) -> TopicWho {
    let (actor, token) = (stage.actor(&user_id(user)), Some(token(&user_id(user), 1)));
    TopicWho { actor, token, by_certificate: false, client: client.into(), is_persistent }
}

pub fn client(stage: &Stage, user: &'static str, name: &'static str) -> Client {
    let seat = stage.hub.take_topic_seat(who(stage, user, name, false), stage.as_of());
    Client { seat: seat.expect("there is room and the login is of now"), user, name }
}

/// An administrator who hears a filter.
pub fn hearing(stage: &Stage, name: &'static str, text: &str) -> Client {
    let client = client(stage, "alice", name);
    client.subscribe(stage, &subscription(text, Qos::Exactly));
    client
}

impl Client {
    pub fn subscribe(&self, stage: &Stage, subscription: &Subscription) -> bool {
        self.try_subscribe(stage, subscription).expect("the permit is of now")
    }

    pub fn try_subscribe(&self, stage: &Stage, subscription: &Subscription) -> Result<bool, Refused> {
        let actor = stage.actor(&user_id(self.user));
        let permit = policy::may_subscribe(&actor, &subscription.filter).expect("the test lets them hear it");
        self.seat.subscribe(&permit, subscription, stage.as_of())
    }

    pub fn publish(&self, stage: &Stage, topic: &str, payload: &str) -> Reached {
        self.publish_as(stage, publication(self.user, self.name, topic, payload, Qos::Least))
    }

    pub fn publish_as(&self, stage: &Stage, publication: Publication) -> Reached {
        let permit = policy::may_publish(&stage.actor(&user_id(self.user)), &publication.topic);
        let permit = permit.expect("the test lets them publish");
        self.seat.publish(&permit, stage.as_of(), &Arc::new(publication), 7).expect("the permit is of now")
    }

    /// What waits, and nothing else.
    pub fn payloads(&self) -> Vec<String> {
        let drained = self.seat.drain(usize::MAX, usize::MAX);
        assert!(!drained.more && !drained.behind && drained.ended.is_none() && drained.missed == 0);
        payloads(&drained)
    }
}

pub fn payloads(drained: &TopicDrained) -> Vec<String> {
    let payload = |parcel: &linnet::delivery::Parcel| {
        String::from_utf8(parcel.sheet.publication().payload.to_vec()).expect("a test's payload is text")
    };
    drained.parcels.iter().map(payload).collect()
}

/// A publication that is kept, at its place in the order.
pub fn keep(stage: &mut Stage, topic: &str, payload: &str, qos: Qos) -> Seq {
    let publication = Arc::new(publication("alice", "elsewhere", topic, payload, qos));
    stage.happens(What::Published { publication, receipt: None })
}

pub fn shared(text: &str, group: &str) -> Subscription {
    Subscription { share: Some(SmolStr::new(group)), ..subscription(text, Qos::Least) }
}
