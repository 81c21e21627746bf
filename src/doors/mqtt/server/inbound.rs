//! What clients publish: to rooms, to the disk where somebody or the topic's state needs it, or only to those who listen.

use super::connection::{Connection, End, Flow};
use super::packet::{Ack, Answer, Disconnect, In, Out, Publish, Reason, Version, Wrong};
use super::{answers, draft, rooms, words};
use crate::base::limits::{
    MQTT_ALIASES_MAX, MQTT_PERMITS_MAX, MQTT_RECEIVE_MAX, RECEIPTS_MAX, STALE_RETRIES_MAX,
};
use crate::chat::change::Via;
use crate::chat::publication::{Publication, Qos};
use crate::chat::question::{self, never_kept};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;
use crate::delivery::Refused;
use crate::doors::mqtt::bridge::digest;
use crate::node::Node;
use crate::node::reply::Answer as Reply;
use std::sync::Arc;

const ALIAS_UNKNOWN: Wrong = Wrong {
    reason: Reason::ALIAS_INVALID,
    words: "the topic alias is above the maximum, or stands for nothing yet",
};
const TOO_MANY: Wrong = Wrong {
    reason: Reason::RECEIVE_MAXIMUM_EXCEEDED,
    words: "more publications of QoS 1 and 2 are open than the CONNACK allows",
};
const NO_AUTH: Wrong =
    Wrong { reason: Reason::AUTHENTICATION_METHOD, words: "no extended authentication is spoken here" };
const TOO_MANY_OPEN: Wrong =
    Wrong { reason: Reason::QUOTA_EXCEEDED, words: "too many packet ids of QoS 2 are not released" };
const NO_EXPIRY: Wrong = Wrong {
    reason: Reason::PROTOCOL_ERROR,
    words: "a session that was to end with its connection cannot be kept after all",
};
const NOT_KEPT: Wrong =
    Wrong { reason: Reason::SERVER_BUSY, words: "the node cannot keep anything now: try again later" };

impl Connection {
    /// Does what a packet asks for.
    pub(super) fn on_packet(&mut self, packet: In) -> Result<Flow, End> {
        match packet {
            In::Publish(publish) => return self.on_publish(publish),
            In::Subscribe(subscribe) => return self.on_subscribe(subscribe),
            In::Unsubscribe(unsubscribe) => return self.on_unsubscribe(unsubscribe),
            In::PubAck(ack) => self.on_puback(ack),
            In::PubRec(ack) => return self.on_pubrec(ack),
            In::PubRel(ack) => return self.on_pubrel(ack),
            In::PubComp(ack) => self.on_pubcomp(ack),
            In::PingReq => self.put(&Out::PingResp),
            In::Disconnect(disconnect) => return Err(self.on_disconnect(disconnect)),
            In::Auth(_) => return Err(NO_AUTH.into()),
            // The decoder lets no second one through.
            In::Connect(_) => {}
        }
        Ok(Flow::Done)
    }

    fn on_publish(&mut self, publish: Publish) -> Result<Flow, End> {
        let Some(topic) = self.topic(&publish) else { return Err(ALIAS_UNKNOWN.into()) };
        if let Some(packet) = publish.packet.filter(|_| publish.qos == Qos::Exactly) {
            if self.session.receipts.of(packet).is_some() {
                // It was taken before; the answer got lost.
                self.in_turn(move |connection| {
                    connection.answer(packet, Qos::Exactly, Reason::SUCCESS, None)
                });
                return Ok(Flow::Done);
            }
            let open = self.session.receipts.len();
            if self.peer.version == Version::V5 && open >= usize::from(MQTT_RECEIVE_MAX) {
                return Err(TOO_MANY.into());
            }
            if open >= RECEIPTS_MAX {
                return Err(TOO_MANY_OPEN.into());
            }
        }
        match rooms::said_in(&topic) {
            Some(room) => self.say(publish, &topic, room),
            None if question::answers(topic.as_str()).is_some() => self.say_back(publish, topic),
            None => self.publish(publish, topic),
        }
    }

    /// The topic of a publication, by its name or by the number that stands for it.
    fn topic(&mut self, publish: &Publish) -> Option<Topic> {
        match publish.alias {
            Some(alias) => self.heard.topic(alias, publish.topic.clone(), MQTT_ALIASES_MAX),
            None => publish.topic.clone(),
        }
    }

    /// Says something in a room, as this caller.
    fn say(&mut self, publish: Publish, topic: &Topic, room: &str) -> Result<Flow, End> {
        let (packet, qos) = (publish.packet, publish.qos);
        let receipt = packet.filter(|_| qos == Qos::Exactly && self.session.is_stored);
        let found = self.broker.node.read(|reading| rooms::named(reading, room));
        let sent =
            found.and_then(|room| Ok((room, draft::draft(&publish.payload)?))).and_then(|(room, draft)| {
                let caller = self.caller.clone();
                let client = self.session.client.clone();
                let post = move |node: &mut Node| match receipt {
                    Some(packet) => node.post_once(&caller, &room, draft, (&client, packet)),
                    None => node.post_message(&caller, &room, draft).map(drop),
                };
                self.broker.node.send(&self.caller, post)
            });
        self.sent(sent, publish, topic.clone(), receipt.is_some())
    }

    /// Answers a publication that was said in a room once the node has, or knows why not.
    fn sent(
        &mut self,
        sent: Result<Reply<Result<(), Refusal>>, Refusal>,
        publish: Publish,
        topic: Topic,
        noted: bool,
    ) -> Result<Flow, End> {
        let (packet, qos) = (publish.packet, publish.qos);
        match sent {
            Ok(answer) => self.after(answer, move |connection, result| {
                connection.published(packet, qos, &topic, result, noted)
            }),
            Err(Refusal::Busy) => return Ok(self.later(In::Publish(publish))),
            Err(_) if self.is_waiting() => return Ok(Flow::Wait(In::Publish(publish))),
            Err(refusal) => self.published(packet, qos, &topic, Err(refusal), false)?,
        }
        Ok(Flow::Done)
    }

    /// Says what a device answers where it was asked.
    fn say_back(&mut self, publish: Publish, topic: Topic) -> Result<Flow, End> {
        let redelivery = publish.packet.map(|packet| {
            let (bridge, digest) =
                (format!("out/{}", self.session.user), digest(topic.as_str(), &publish.payload));
            (Via { bridge: bridge.into(), packet, digest }, publish.dup)
        });
        let sent = answers::answer(&self.broker.node, &publish).and_then(|answer| {
            let (caller, publication) =
                (self.caller.clone(), self.publication(publish.clone(), topic.clone()));
            let say = move |node: &mut Node| node.answer(&caller, publication, answer, redelivery);
            self.broker.node.send(&self.caller, say)
        });
        self.sent(sent, publish, topic, false)
    }

    fn publish(&mut self, publish: Publish, topic: Topic) -> Result<Flow, End> {
        let (packet, qos) = (publish.packet, publish.qos);
        let receipt = packet.filter(|_| qos == Qos::Exactly && self.session.is_stored);
        let is_kept = receipt.is_some()
            || (publish.retain && !self.is_as_it_was(&publish, &topic))
            || (qos != Qos::Most && self.broker.node.hub.keeps(&topic, qos));
        if let Some(said) = self.hear_bound(&publish, &topic) {
            return self.publish_bound(publish, topic, said, is_kept.then_some(receipt));
        }
        if !is_kept && self.is_waiting() {
            // What is kept is told after the sync; what came later is told later.
            return Ok(Flow::Wait(In::Publish(publish)));
        }
        if is_kept {
            let publication = self.publication(publish.clone(), topic.clone());
            let caller = self.caller.clone();
            let keep = move |node: &mut Node| node.publish(&caller, publication, receipt);
            match self.broker.node.send(&self.caller, keep) {
                Ok(answer) => self.after(answer, move |connection, result| {
                    connection.published(packet, qos, &topic, result.map(drop), receipt.is_some())
                }),
                Err(Refusal::Busy) => return Ok(self.later(In::Publish(publish))),
                Err(_) if self.is_waiting() => return Ok(Flow::Wait(In::Publish(publish))),
                Err(refusal) => self.published(packet, qos, &topic, Err(refusal), false)?,
            }
            self.broker.counts.published.add(1);
            return Ok(Flow::Done);
        }
        self.broker.counts.published.add(1);
        let publication = Arc::new(self.publication(publish, topic.clone()));
        let told = self.publish_live(&publication);
        self.published(packet, qos, &topic, told, false)?;
        Ok(Flow::Done)
    }

    /// Brings a publication to those who listen, and to no disk.
    pub(super) fn publish_live(&mut self, publication: &Arc<Publication>) -> Result<(), Refusal> {
        let now_ms = self.broker.now_ms();
        for _ in 0..STALE_RETRIES_MAX {
            let at = self.permits.iter().position(|(permit, _)| *permit.topic() == publication.topic);
            if at.is_none() {
                let asked = self
                    .broker
                    .node
                    .read(|reading| reading.may_publish(&reading.actor(&self.caller)?, &publication.topic))?;
                self.permits.truncate(MQTT_PERMITS_MAX - 1);
                self.permits.push_front(asked);
            }
            let (permit, as_of) = &self.permits[at.unwrap_or(0)];
            match self.seat.publish(permit, *as_of, publication, now_ms) {
                Ok(_) => return Ok(()),
                Err(Refused::Stale) => self.permits.clear(),
                Err(_) => return Err(Refusal::TokenUnknown),
            }
        }
        Err(Refusal::Busy)
    }

    /// Whether it only repeats what is retained: a sensor that says the same every minute writes nothing.
    fn is_as_it_was(&self, publish: &Publish, topic: &Topic) -> bool {
        if publish.qos == Qos::Exactly || publish.expiry_s.is_some() || self.is_waiting() {
            return false;
        }
        let same = self.broker.node.read(|reading| {
            let known = reading.retained_of(topic)?;
            Ok(match known {
                Some((_, known)) => {
                    known.payload == publish.payload
                        && known.qos == publish.qos
                        && known.properties == publish.properties
                        && known.expiry_s.is_none()
                }
                None => publish.payload.is_empty(),
            })
        });
        same == Ok(true)
    }

    pub(super) fn publication(&self, publish: Publish, topic: Topic) -> Publication {
        let Publish { qos, retain, expiry_s, properties, payload, .. } = publish;
        let (by, client) = (self.session.user.clone(), self.session.client.clone());
        never_kept(Publication { topic, payload, qos, retain, expiry_s, properties, by, client })
    }

    /// Keeps a packet for a moment: the node has too much to do.
    pub(super) fn later(&mut self, packet: In) -> Flow {
        self.retry_soon();
        Flow::Wait(packet)
    }

    /// Answers a publication that was taken or refused. `noted`: the node knows its number already.
    pub(super) fn published(
        &mut self,
        packet: Option<u16>,
        qos: Qos,
        topic: &Topic,
        result: Result<(), Refusal>,
        noted: bool,
    ) -> Result<(), End> {
        let is_v5 = self.peer.version == Version::V5;
        let (reason, words) = match &result {
            Ok(()) => {
                self.broker.own.note_published(topic);
                (Reason::SUCCESS, None)
            }
            Err(refusal) => {
                let (reason, words) = words::told(refusal, topic.as_str());
                self.broker.counts.refused.add(1);
                tracing::info!(client = ?self.session.client, %topic, words, "a publication was refused");
                (reason, Some(words))
            }
        };
        if let Err(refusal) = &result
            && !is_v5
            && qos != Qos::Most
        {
            if matches!(refusal, Refusal::TooMany { .. }) {
                return Err(TOO_MANY_OPEN.into());
            }
            // Before 5.0 nobody can be told no: whoever hears yes must not forget what is not kept.
            if words::is_ours(refusal) {
                return Err(NOT_KEPT.into());
            }
        }
        let Some(packet) = packet else { return Ok(()) };
        if qos == Qos::Exactly && (result.is_ok() || !is_v5) {
            self.session.receipts.note(packet, noted && result.is_ok());
        }
        self.answer(packet, qos, reason, words.as_deref());
        Ok(())
    }

    fn answer(&mut self, packet: u16, qos: Qos, reason: Reason, words: Option<&str>) {
        let answer = Answer { packet, reason, words };
        self.put(&if qos == Qos::Exactly { Out::PubRec(answer) } else { Out::PubAck(answer) });
    }

    /// The client gives a number free, under which something arrived exactly once.
    fn on_pubrel(&mut self, ack: Ack) -> Result<Flow, End> {
        let packet = ack.packet;
        let known = self.session.receipts.of(packet);
        if known != Some(true) {
            self.session.receipts.release(packet);
            let reason = if known.is_some() { Reason::SUCCESS } else { Reason::PACKET_ID_NOT_FOUND };
            self.in_turn(move |connection| connection.completed(packet, reason));
            return Ok(Flow::Done);
        }
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let release = move |node: &mut Node| node.release_receipt(&caller, &client, packet);
        match self.broker.node.send(&self.caller, release) {
            Ok(answer) => self.after(answer, move |connection, result| {
                if result.is_err() {
                    return Err(NOT_KEPT.into());
                }
                connection.session.receipts.release(packet);
                connection.completed(packet, Reason::SUCCESS);
                Ok(())
            }),
            Err(Refusal::Busy) => return Ok(self.later(In::PubRel(ack))),
            Err(_) => return Err(NOT_KEPT.into()),
        }
        Ok(Flow::Done)
    }

    fn completed(&mut self, packet: u16, reason: Reason) {
        self.put(&Out::PubComp(Answer { packet, reason, words: None }));
    }
}

impl Connection {
    /// The client goes; whether its will stays in force.
    fn on_disconnect(&mut self, disconnect: Disconnect) -> End {
        if let Some(expiry_s) = disconnect.expiry_s {
            // One that was to end with its connection cannot be kept after all (3.14.2.2.2).
            if self.session.expiry_s == 0 && expiry_s > 0 {
                return End::Wrong(NO_EXPIRY);
            }
            self.session.expiry_s = expiry_s;
        }
        let with_will = disconnect.reason != Reason::SUCCESS;
        End::Left { with_will }
    }
}
