//! Sessions that outlive their connections: what a client has missed, how far it has heard, and how it leaves.

use super::bell::Ring;
use super::connection::{Connection, End};
use super::session::{Delivery, Flight, Receipts, Session, Step};
use crate::base::id::Seq;
use crate::base::limits::{MQTT_BACKLOG_SCAN_MAX, MQTT_MOVE_EVERY};
use crate::base::time::Moment;
use crate::chat::change::{Change, What};
use crate::chat::publication::{Publication, Qos, Subscription};
use crate::chat::question::tells;
use crate::chat::refusal::Refusal;
use crate::delivery::Parcel;
use crate::node::topics::Opened;
use crate::node::{Books, Node, NodeHandle, refuse};
use std::time::Duration;
use tokio::time::Instant;

/// When something was published, in milliseconds of this start of the node: before it where that is known.
pub(super) fn at_ms(moment: &Moment, now: &Moment) -> i64 {
    let now_ms = signed(now.mono_ms);
    match moment.boot == now.boot {
        true => signed(moment.mono_ms),
        false if moment.trusted && now.trusted => {
            now_ms.saturating_sub(signed(now.wall_ms.saturating_sub(moment.wall_ms)))
        }
        // Nobody knows how long the node was off.
        false => 0,
    }
}

pub(super) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// What was on its way to a client that was here since this start, as far as it is noted; the rest waits again.
pub(super) fn resume(session: &mut Session, opened: &Opened) {
    let noted = |id: u16| opened.hand_outs.iter().any(|(noted, ..)| *noted == id);
    let lost = session
        .window
        .take_out(|flight| flight.what.qos == Qos::Exactly && flight.what.seq.is_some() && !noted(flight.id));
    lost.into_iter().rev().for_each(|flight| session.waiting.push_front(flight.what));
}

/// Takes up what the node kept of a session.
pub(super) fn restore(session: &mut Session, node: &NodeHandle, opened: &Opened) -> Result<(), Refusal> {
    session.receipts = Receipts::stored(&opened.receipts);
    (session.told, session.moved) = (opened.session.heard, opened.session.heard);
    (session.dropped, session.sent) = (opened.session.dropped, opened.sent);
    for (packet, seq, received) in &opened.hand_outs {
        let found = node.read(|reading| Ok((reading.change_of(*seq).map_err(refuse)?, reading.now())))?;
        let (Some(change), now) = found else { continue };
        let Some(delivery) = delivery(&change, Qos::Exactly, Vec::new(), &now) else { continue };
        let step = if *received { Step::Released } else { Step::Sent };
        let bytes = delivery.weight();
        session.window.restore(Flight { id: *packet, step, bytes, what: delivery });
    }
    Ok(())
}

fn delivery(change: &Change, qos: Qos, ids: Vec<u32>, now: &Moment) -> Option<Delivery> {
    let What::Published { publication, .. } = &change.what else { return None };
    let (publication, seq) = (publication.clone(), Some(change.seq));
    let moment = &change.origin.moment;
    let is_unknown = moment.boot != now.boot && !(moment.trusted && now.trusted);
    // Of a command that may be old, the worst is believed.
    let is_stale = is_unknown && tells(publication.topic.as_str()).is_some();
    let at_ms = if is_stale { i64::MIN } else { at_ms(moment, now) };
    Some(Delivery { publication, seq, qos, retain: false, ids, at_ms, shared: None, shared_by: None })
}

/// How sure, with which retain flag and numbers a session hears something that was kept; `None` when it does not.
fn heard(
    subscriptions: &[Subscription],
    publication: &Publication,
    seq: Seq,
    client: &str,
) -> Option<(Qos, bool, Vec<u32>)> {
    let mut heard: Option<(Qos, bool, Vec<u32>)> = None;
    for subscription in subscriptions {
        let is_own = subscription.no_local && publication.client == client;
        // Those that are shared were given to whoever was there.
        let matches = subscription.share.is_none()
            && seq > subscription.made
            && !is_own
            && subscription.filter.matches(&publication.topic);
        if !matches {
            continue;
        }
        let (qos, retain, ids) = heard.get_or_insert((Qos::Most, false, Vec::new()));
        *qos = (*qos).max(subscription.qos.min(publication.qos));
        *retain |= subscription.retain_as_published && publication.retain;
        ids.extend(subscription.id);
    }
    heard
}

impl Connection {
    /// Whether there is something that was kept while the client was away, or too slow.
    pub(super) fn is_behind(&self) -> bool {
        self.session.told < self.live_from
    }

    /// Tells some of what was missed; whether anything was looked at.
    pub(super) fn tell_backlog(&mut self) -> Result<bool, End> {
        if !self.is_behind() {
            return Ok(false);
        }
        let (told, upto) = (self.session.told, self.live_from);
        let page = self.broker.node.read(|reading| {
            let mut page = reading.publications_after(told, upto, MQTT_BACKLOG_SCAN_MAX)?;
            let actor = reading.actor(&self.caller)?;
            page.found.retain(|change| match &change.what {
                What::Published { publication, .. } => reading.may_hear(&actor, &publication.topic),
                _ => false,
            });
            Ok((page, reading.now()))
        });
        let (page, now) = page.map_err(|_| End::Lost)?;
        for change in &page.found {
            let What::Published { publication, .. } = &change.what else { continue };
            let Some((qos, retain, ids)) = heard(&self.hears, publication, change.seq, &self.session.client)
            else {
                continue;
            };
            // What has a number already is on its way under that.
            let is_sent = self.session.window.flights().any(|flight| flight.what.seq == Some(change.seq));
            if qos == Qos::Most || is_sent {
                continue;
            }
            let Some(mut delivery) = delivery(change, qos, ids, &now) else { continue };
            delivery.retain = retain;
            self.offer(delivery);
        }
        self.session.told = page.reached.max(told);
        if page.reached <= told {
            // There is nothing to read on the way: what is to come is told as it comes.
            self.session.told = upto;
        }
        Ok(true)
    }

    /// Has the node know how far the client has heard, every so often.
    pub(super) fn heard_more(&mut self) {
        self.let_go();
        self.resend();
        self.acks += 1;
        if self.session.is_stored && self.acks >= MQTT_MOVE_EVERY {
            self.acks = 0;
            self.move_on();
        }
    }

    /// Where nothing waits for it, the client has heard all there is.
    fn look_whether_all_was_heard(&mut self) {
        let is_idle = self.session.waiting.is_empty() && !self.is_behind();
        if is_idle {
            let drained = self.seat.drain(1, 0);
            if drained.parcels.is_empty() && !drained.behind {
                self.session.told = self.session.told.max(drained.upto);
            }
            self.seat.give_back(drained.parcels.into_iter().filter(Parcel::is_shared).collect());
        }
    }

    /// Gives numbers free of what arrived exactly once, with the place up to which all has: or the node would tell it again
    /// after a power cut.
    pub(super) fn let_go(&mut self) {
        let heard = self.session.heard();
        let over = self
            .session
            .window
            .take_out(|flight| flight.step == Step::Over && flight.what.seq.is_none_or(|seq| seq <= heard));
        if over.is_empty() {
            return;
        }
        let packets: Vec<u16> = over.iter().map(|flight| flight.id).collect();
        let (caller, client, dropped) =
            (self.caller.clone(), self.session.client.clone(), self.session.dropped);
        let job = move |node: &mut Node| {
            node.move_topic_session(&caller, &client, heard, dropped)?;
            packets
                .iter()
                .try_for_each(|packet| node.step_hand_out(&caller, &client, *packet, true).map(drop))
        };
        match self.broker.node.send(&self.caller, job) {
            Ok(_) => self.session.moved = heard,
            // It is asked again whether it has let go of the number, which changes nothing.
            Err(refusal) => {
                tracing::debug!(client = ?self.session.client, ?refusal, "numbers are let go of later");
                over.into_iter().for_each(|flight| self.session.window.restore(flight));
            }
        }
    }

    fn move_on(&mut self) {
        let rooms = self.rooms.as_ref().and_then(|rooms| rooms.behind());
        let heard = self.session.heard();
        let heard = rooms.map_or(heard, |rooms| heard.min(rooms)).max(self.session.moved);
        let dropped = self.session.dropped;
        if heard == self.session.moved {
            return;
        }
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let job = move |node: &mut Node| node.move_topic_session(&caller, &client, heard, dropped);
        // What it costs to be refused is that some is told twice after a power cut.
        if self.broker.node.send(&self.caller, job).is_ok() {
            self.session.moved = heard;
        }
    }

    /// The client is gone: its will, its session, its place.
    pub(super) async fn see_off(mut self: Box<Self>, end: End) {
        let is_taken_over = end == End::Rung(Ring::TakenOver);
        self.leave_will(&end);
        self.give_back_shared(is_taken_over && self.session.is_stored);
        let expiry_s = self.session.expiry_s;
        let is_kept = self.session.is_stored && (expiry_s > 0 || is_taken_over);
        if self.session.is_stored {
            self.look_whether_all_was_heard();
            self.move_on();
        }
        // Whoever is told that the client is gone finds that it hears nothing.
        self.rooms = None;
        if self.session.is_stored && !is_taken_over {
            let (caller, client) = (self.caller.clone(), self.session.client.clone());
            let kept_s = Some(expiry_s).filter(|expiry_s| *expiry_s != u32::MAX);
            let job = move |node: &mut Node| node.close_topic_session(&caller, &client, kept_s);
            if let Err(refusal) = self.broker.node.send(&self.caller, job) {
                tracing::info!(client = ?self.session.client, ?refusal, "it is not known when a session was left");
            }
        }
        let Connection { broker, socket, mut session, seat, hears, place, socket_place, .. } = *self;
        let until = (expiry_s != u32::MAX).then(|| Instant::now() + Duration::from_secs(u64::from(expiry_s)));
        if is_kept {
            broker.node.hub.park(session.client.clone(), session.user.clone(), &hears);
        }
        // Where there is no room for what was on its way, the client hears again what the node has kept.
        let bytes = session.sent_bytes();
        let stays = is_kept && session.load.may_stay(bytes);
        drop(seat);
        broker.registry.leave(place, stays.then_some((session, until)));
        if end != End::Lost {
            socket.shutdown().await;
        }
        drop(socket_place);
    }
}
