//! What goes to a client: as fast as it takes it, and no more at one time than it said.

use super::connection::{Connection, End, Flow};
use super::packet::Told as Frame;
use super::packet::{
    Ack, Alias, Answer as Word, Handed, In, Out, PublishFrame, Reason, Version, Wrong, append_publish,
};
use super::persistent::signed;
use super::session::{Delivery, Step};
use crate::base::limits::{MQTT_EVENTS_AT_ONCE, MQTT_WRITE_BYTES};
use crate::chat::publication::Qos;
use crate::chat::question::tells;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::delivery::Parcel;
use crate::node::Node;
use smol_str::SmolStr;
use std::sync::Arc;
use std::task::Context;

impl Connection {
    /// Sends what there is for this client; whether there was anything.
    pub(super) fn tell(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut did = self.send_waiting()?;
        // What could not be sent yet goes first; nothing more is taken until then.
        if !self.session.waiting.is_empty() || self.socket.is_full() {
            return Ok(did);
        }
        did |= self.tell_backlog()?;
        if self.session.waiting.is_empty() && !self.is_behind() {
            did |= self.tell_retained()?;
        }
        if self.session.waiting.is_empty() && !self.is_behind() && !self.socket.is_full() {
            did |= self.tell_news(context)?;
            did |= self.tell_rooms(context)?;
        }
        Ok(did)
    }

    /// Sends what waits, as far as the client takes it.
    fn send_waiting(&mut self) -> Result<bool, End> {
        let mut did = false;
        while !self.is_handing && self.session.window.room() > 0 && !self.socket.is_full() {
            let Some(delivery) = self.session.waiting.pop_front() else { break };
            if self.session.is_number_taken(&delivery) {
                self.session.waiting.push_front(delivery);
                break;
            }
            did = true;
            if self.needs_hand_out(&delivery) {
                self.session.waiting.push_front(delivery);
                self.hand_out()?;
            } else {
                self.send(delivery);
            }
        }
        Ok(did)
    }

    /// Sends a publication now, or as soon as those before it are sent and the client takes one more.
    pub(super) fn offer(&mut self, delivery: Delivery) {
        let window = &self.session.window;
        let goes = match delivery.qos {
            Qos::Most => !self.is_handing,
            _ if self.session.is_number_taken(&delivery) => false,
            _ => self.session.waiting.is_empty() && window.room() > 0 && !self.needs_hand_out(&delivery),
        };
        if goes && !self.is_handing {
            self.send(delivery);
        } else {
            self.session.waiting.push_back(delivery);
        }
    }

    fn send(&mut self, delivery: Delivery) {
        if self.left_s(&delivery) == Some(0) || !self.fits(&delivery) {
            return self.acknowledged(delivery.shared_by);
        }
        if delivery.qos == Qos::Most {
            return self.write(None, false, &delivery);
        }
        let weight = delivery.weight();
        let session = &mut self.session;
        let (packet, dup) = match session.placed_id(&delivery) {
            Some(id) => {
                let dup = delivery.seq.is_some_and(|seq| seq <= session.sent);
                (session.window.send_as(id, delivery.clone(), weight), dup)
            }
            None => (session.window.send(delivery.clone(), weight), false),
        };
        self.write(Some(packet), dup, &delivery);
    }

    /// What is to arrive exactly once, whatever falls, has its number on the disk before it is sent.
    fn needs_hand_out(&self, delivery: &Delivery) -> bool {
        let is_own = delivery.shared_by.is_none();
        delivery.qos == Qos::Exactly && is_own && self.session.is_stored && delivery.seq.is_some()
    }

    /// Notes the numbers of those that wait first, and sends them then; what comes behind them waits.
    fn hand_out(&mut self) -> Result<(), End> {
        let (mut packets, mut deliveries) = (Vec::new(), Vec::new());
        while self.session.window.room() > 0 {
            match self.session.waiting.pop_front() {
                Some(delivery) if self.needs_hand_out(&delivery) => {
                    let over = self.left_s(&delivery) == Some(0) || !self.fits(&delivery);
                    if let Some(seq) = delivery.seq.filter(|_| !over) {
                        let bytes = delivery.weight();
                        let packet = self.session.window.send(delivery, bytes);
                        packets.push(packet);
                        deliveries.push((packet, seq));
                    }
                }
                Some(delivery) => {
                    self.session.waiting.push_front(delivery);
                    break;
                }
                None => break,
            }
        }
        if packets.is_empty() {
            return Ok(());
        }
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let job = move |node: &mut Node| node.hand_out(&caller, &client, deliveries);
        // Whoever finds the node too busy is told again when it is back.
        let answer = self.broker.node.send(&self.caller, job).map_err(|_| End::Lost)?;
        self.is_handing = true;
        self.after(answer, move |connection, result| {
            connection.is_handing = false;
            result.map_err(|_| End::Lost)?;
            for packet in packets {
                let flight = connection.session.window.flight(packet);
                if let Some(delivery) = flight.map(|flight| flight.what.clone()) {
                    connection.write(Some(packet), false, &delivery);
                }
            }
            Ok(())
        });
        Ok(())
    }

    /// Sends again what was on its way when the client was lost, as much at one time as it takes now.
    pub(super) fn resend(&mut self) {
        while let Some(flight) = self.session.window.tell_again() {
            // A relay must not switch for what was meant before it lost its power.
            let is_stale = tells(flight.what.publication.topic.as_str()).is_some()
                && self.left_s(&flight.what) == Some(0);
            match flight.step {
                Step::Sent if is_stale && self.needs_hand_out(&flight.what) => {
                    self.session.window.over(flight.id)
                }
                Step::Sent if is_stale => drop(self.session.window.done(flight.id, Step::Sent)),
                Step::Sent => self.write(Some(flight.id), true, &flight.what),
                Step::Released => self.put(&Out::PubRel(word(flight.id, Reason::SUCCESS))),
                Step::Over => {}
            }
        }
    }

    /// Seconds for which it is still worth telling.
    fn left_s(&self, delivery: &Delivery) -> Option<u32> {
        let expiry_s = delivery.publication.expiry_s?;
        let now_ms = signed(self.broker.now_ms());
        let gone_s = now_ms.saturating_sub(delivery.at_ms).max(0) / 1_000;
        Some(expiry_s.saturating_sub(u32::try_from(gone_s).unwrap_or(u32::MAX)))
    }

    /// Whether the client takes a packet as long as this one.
    fn fits(&self, delivery: &Delivery) -> bool {
        if self.peer.packet_bytes_max.is_none() {
            return true;
        }
        if let Some(shared) = self.encoded(delivery) {
            return self.peer.takes(shared.wire_bytes());
        }
        let mut bytes = Vec::new();
        let packet = (delivery.qos != Qos::Most).then_some(1);
        let handed = Handed { packet, ids: self.ids(delivery), ..Handed::default() };
        append_publish(self.peer.version, &self.frame(delivery), &handed, &mut bytes);
        self.peer.takes(bytes.len() + if self.told.is_empty() { 0 } else { ALIAS_BYTES })
    }

    /// Its bytes, encoded once for all sessions that have nothing of their own to say with it.
    fn shared(&self, parcel: &Parcel) -> Option<(Version, PublishFrame)> {
        let publication = parcel.sheet.publication();
        let is_v5 = self.peer.version == Version::V5;
        let has_own =
            !parcel.ids.as_slice().is_empty() || !self.told.is_empty() || publication.expiry_s.is_some();
        if parcel.retain || (is_v5 && has_own) {
            return None;
        }
        let form = usize::from(is_v5) * 3 + parcel.qos as usize;
        let bytes = parcel.sheet.frame(form, || {
            let told = Frame {
                topic: &publication.topic,
                payload: &publication.payload,
                qos: parcel.qos,
                retain: false,
                expiry_s: None,
                properties: publication.properties.as_deref(),
            };
            PublishFrame::new(self.peer.version, &told).bytes().clone()
        });
        Some((self.peer.version, PublishFrame::of(bytes.clone())))
    }

    fn encoded<'a>(&self, delivery: &'a Delivery) -> Option<&'a PublishFrame> {
        delivery.shared.as_ref().filter(|(version, _)| *version == self.peer.version).map(|(_, frame)| frame)
    }

    fn frame<'a>(&self, delivery: &'a Delivery) -> Frame<'a> {
        let publication = &delivery.publication;
        Frame {
            topic: &publication.topic,
            payload: &publication.payload,
            qos: delivery.qos,
            retain: delivery.retain,
            expiry_s: self.left_s(delivery),
            properties: publication.properties.as_deref(),
        }
    }

    fn ids<'a>(&self, delivery: &'a Delivery) -> &'a [u32] {
        if self.peer.version == Version::V5 { &delivery.ids } else { &[] }
    }

    fn write(&mut self, packet: Option<u16>, dup: bool, delivery: &Delivery) {
        self.broker.counts.packets_out.add(1);
        self.broker.counts.delivered.add(1);
        if let Some(shared) = self.encoded(delivery).cloned() {
            return shared.append(packet, dup, self.socket.out());
        }
        let is_v5 = self.peer.version == Version::V5;
        let alias = if is_v5 { self.told.number(&delivery.publication.topic) } else { None };
        let alias = alias.map(|(number, is_known)| Alias { number, is_new: !is_known });
        let handed = Handed { packet, dup, ids: self.ids(delivery), alias };
        let frame = self.frame(delivery);
        append_publish(self.peer.version, &frame, &handed, self.socket.out());
    }

    pub(super) fn on_puback(&mut self, ack: Ack) {
        let done = self.session.window.done(ack.packet, Step::Sent);
        self.acknowledged(done.and_then(|delivery| delivery.shared_by));
        self.heard_more();
    }

    /// The client has what is to arrive exactly once, or refuses it.
    pub(super) fn on_pubrec(&mut self, ack: Ack) -> Result<Flow, End> {
        let packet = ack.packet;
        let Some(flight) = self.session.window.flight(packet) else {
            let reason = Reason::PACKET_ID_NOT_FOUND;
            self.in_turn(move |connection| connection.put(&Out::PubRel(word(packet, reason))));
            return Ok(Flow::Done);
        };
        let is_handed_out = self.needs_hand_out(&flight.what);
        if ack.reason.is_failure() {
            if is_handed_out {
                self.session.window.over(packet);
            } else {
                let done = self.session.window.done(packet, Step::Sent);
                self.acknowledged(done.and_then(|delivery| delivery.shared_by));
            }
            self.heard_more();
            return Ok(Flow::Done);
        }
        let release = move |connection: &mut Connection| {
            connection.session.window.received(packet);
            connection.put(&Out::PubRel(word(packet, Reason::SUCCESS)));
        };
        if !is_handed_out {
            self.in_turn(release);
            return Ok(Flow::Done);
        }
        // A client that hears PUBREL forgets the number: what it has must be noted before.
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let job = move |node: &mut Node| node.step_hand_out(&caller, &client, packet, false);
        match self.broker.node.send(&self.caller, job) {
            Ok(answer) => self.after(answer, move |connection, result| {
                result.map_err(|_| End::Lost)?;
                release(connection);
                Ok(())
            }),
            Err(Refusal::Busy) => return Ok(self.later(In::PubRec(ack))),
            Err(_) => return Err(End::Lost),
        }
        Ok(Flow::Done)
    }

    /// The client has let go of a number.
    pub(super) fn on_pubcomp(&mut self, ack: Ack) {
        let packet = ack.packet;
        let flight = self.session.window.flight(packet).filter(|flight| flight.step == Step::Released);
        let Some(flight) = flight else { return };
        if self.needs_hand_out(&flight.what) {
            self.session.window.over(packet);
        } else {
            let done = self.session.window.done(packet, Step::Released);
            self.acknowledged(done.and_then(|delivery| delivery.shared_by));
        }
        self.heard_more();
    }
}

fn word(packet: u16, reason: Reason) -> Word<'static> {
    Word { packet, reason, words: None }
}

impl Connection {
    /// Tells what was published since.
    fn tell_news(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        if self.seat.poll_ready(context).is_pending() {
            return Ok(false);
        }
        let drained = self.seat.drain(MQTT_EVENTS_AT_ONCE, MQTT_WRITE_BYTES);
        for parcel in drained.parcels {
            let seq = parcel.sheet.seq();
            // It was read from the disk, where everything up to here was.
            if seq.is_some_and(|seq| seq <= self.session.told)
                && !parcel.is_shared()
                && parcel.qos != Qos::Most
            {
                continue;
            }
            let published = parcel.sheet.publication();
            let Some(publication) = self.heard_of(published) else { continue };
            let is_whole = Arc::ptr_eq(&publication, published);
            self.offer(Delivery {
                publication,
                shared: self.shared(&parcel).filter(|_| is_whole),
                seq,
                qos: parcel.qos,
                retain: parcel.retain,
                ids: parcel.ids.as_slice().to_vec(),
                at_ms: parcel.sheet.arrived_ms(),
                shared_by: parcel.is_shared().then(|| parcel.clone()),
            });
        }
        if drained.behind {
            self.live_from = self.live_from.max(drained.upto);
        } else {
            self.session.told = self.session.told.max(drained.upto);
        }
        if drained.missed > 0 {
            self.session.dropped += drained.missed;
            tracing::info!(client = ?self.session.client, missed = drained.missed, "a client was too slow");
        }
        if let Some(behind) = &drained.group_behind {
            self.feed_group(behind)?;
        }
        self.forget(drained.cut);
        match drained.ended {
            Some(_) => Err(KEY_ENDED.into()),
            None => Ok(true),
        }
    }

    /// The client may hear these no longer.
    fn forget(&mut self, cut: Vec<(Filter, Option<SmolStr>)>) {
        if cut.is_empty() {
            return;
        }
        for (filter, share) in &cut {
            tracing::info!(client = ?self.session.client, %filter, "a right to hear a filter has ended");
            self.hears.retain(|known| known.filter != *filter || known.share != *share);
        }
        if self.session.is_stored {
            let (caller, client) = (self.caller.clone(), self.session.client.clone());
            let job = move |node: &mut Node| node.unsubscribe_topics(&caller, &client, cut);
            // What is not noted now is found again when the client comes back.
            let _ = self.broker.node.send(&self.caller, job);
        }
    }
}

/// Bytes of a number that stands for a topic.
const ALIAS_BYTES: usize = 3;

/// The right to be here is over.
pub(super) const KEY_ENDED: Wrong =
    Wrong { reason: Reason::NOT_AUTHORIZED, words: "the key is no longer good" };
