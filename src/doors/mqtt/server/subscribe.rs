//! What clients want to hear, and no longer.

use super::connection::{Connection, End, Flow};
use super::packet::{Acks, In, Named, Out, Reason, Retained, Subscribe, Unsubscribe, Wanted};
use super::persistent::at_ms;
use super::rooms::{hears_rooms, is_of_rooms};
use super::session::Delivery;
use super::{Broker, words};
use crate::base::id::Seq;
use crate::base::limits::{MQTT_RETAINED_AT_ONCE, STALE_RETRIES_MAX, SUBSCRIPTIONS_MAX};
use crate::chat::policy::MaySubscribe;
use crate::chat::publication::{Qos, Subscription};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;
use crate::delivery::{Refused, TopicSeat};
use crate::node::{Caller, Node};

/// What is retained for one subscription, and how far it was told.
pub(super) struct Walk {
    permit: MaySubscribe,
    /// The next of what the node itself says, until all of that was told.
    own: Option<usize>,
    after: Option<Topic>,
    qos: Qos,
    id: Option<u32>,
}

/// One filter of a SUBSCRIBE on its way.
struct Asked {
    answer: Result<Subscription, Refusal>,
    retained: Retained,
}

impl Connection {
    pub(super) fn on_subscribe(&mut self, subscribe: Subscribe) -> Result<Flow, End> {
        if self.is_waiting() {
            return Ok(Flow::Wait(In::Subscribe(subscribe)));
        }
        let made = self.broker.newest();
        let (id, is_bridge) = (subscribe.id, self.is_bridge);
        let asked: Vec<Asked> =
            subscribe.filters.iter().map(|wanted| asked(wanted, id, made, is_bridge)).collect();
        let wanted: Vec<Subscription> = asked.iter().filter_map(|asked| asked.answer.clone().ok()).collect();
        if !self.session.is_stored || wanted.is_empty() {
            self.subscribed(subscribe.packet, asked);
            return Ok(Flow::Done);
        }
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let job = move |node: &mut Node| node.subscribe_topics(&caller, &client, wanted);
        match self.broker.node.send(&self.caller, job) {
            Ok(answer) => self.after(answer, move |connection, result| {
                let mut answers = result.map_err(|_| End::Lost)?.into_iter();
                let mut asked = asked;
                for one in &mut asked {
                    if one.answer.is_ok()
                        && let Some(answer) = answers.next()
                    {
                        one.answer = answer;
                    }
                }
                connection.subscribed(subscribe.packet, asked);
                Ok(())
            }),
            Err(Refusal::Busy) => return Ok(self.later(In::Subscribe(subscribe))),
            Err(_) => return Err(End::Lost),
        }
        Ok(Flow::Done)
    }

    /// Hears what it may, answers, and has what is retained follow.
    fn subscribed(&mut self, packet: u16, asked: Vec<Asked>) {
        let mut reasons = Vec::with_capacity(asked.len());
        let mut said = None;
        for Asked { answer, retained } in asked {
            let about = answer.as_ref().map_or_else(|_| String::new(), |asked| asked.filter.to_string());
            let heard = answer.and_then(|subscription| self.listen(subscription, retained));
            reasons.push(match heard {
                Ok(Qos::Most) => Reason::SUCCESS,
                Ok(Qos::Least) => Reason::GRANTED_LEAST,
                Ok(Qos::Exactly) => Reason::GRANTED_EXACTLY,
                Err(refusal) => {
                    let (reason, words) = words::told(&refusal, &about);
                    tracing::info!(client = ?self.session.client, filter = about, words, "a subscription was refused");
                    said.get_or_insert(words);
                    reason
                }
            });
        }
        self.put(&Out::SubAck(Acks { packet, reasons: &reasons, words: said.as_deref() }));
    }

    /// Hears a filter from now on; gives how sure.
    fn listen(&mut self, subscription: Subscription, retained: Retained) -> Result<Qos, Refusal> {
        let qos = subscription.qos;
        let (is_new, permit, _) = self.broker.listen(&self.caller, &self.seat, &subscription)?;
        if hears_rooms(&subscription.filter) {
            self.follow_rooms(&subscription.filter, None)?;
        }
        let tells = match retained {
            Retained::Always => true,
            Retained::IfNew => is_new,
            Retained::Never => false,
        };
        if tells && subscription.share.is_none() {
            self.retained.push_back(Walk { permit, own: Some(0), after: None, qos, id: subscription.id });
        }
        self.hears.retain(|known| known.filter != subscription.filter || known.share != subscription.share);
        let is_of_rooms = is_of_rooms(&subscription.filter);
        self.hears.push(subscription);
        // What is said in a room is told at least once.
        Ok(if is_of_rooms { qos.min(Qos::Least) } else { qos })
    }

    pub(super) fn on_unsubscribe(&mut self, unsubscribe: Unsubscribe) -> Result<Flow, End> {
        if self.is_waiting() {
            return Ok(Flow::Wait(In::Unsubscribe(unsubscribe)));
        }
        let packet = unsubscribe.packet;
        let reasons: Vec<Reason> = unsubscribe
            .filters
            .iter()
            .map(|name| match name {
                Ok(name) if self.unlisten(name) => Reason::SUCCESS,
                Ok(_) => Reason::NO_SUBSCRIPTION_EXISTED,
                Err(refusal) => words::told(refusal, "").0,
            })
            .collect();
        if !self.session.is_stored {
            self.put(&Out::UnsubAck(Acks { packet, reasons: &reasons, words: None }));
            return Ok(Flow::Done);
        }
        let names = unsubscribe.filters.iter().flatten();
        let names = names.map(|name| (name.filter.clone(), name.share.clone())).collect();
        let (caller, client) = (self.caller.clone(), self.session.client.clone());
        let job = move |node: &mut Node| node.unsubscribe_topics(&caller, &client, names);
        match self.broker.node.send(&self.caller, job) {
            Ok(answer) => self.after(answer, move |connection, result| {
                result.map_err(|_| End::Lost)?;
                connection.put(&Out::UnsubAck(Acks { packet, reasons: &reasons, words: None }));
                Ok(())
            }),
            Err(Refusal::Busy) => return Ok(self.later(In::Unsubscribe(unsubscribe))),
            Err(_) => return Err(End::Lost),
        }
        Ok(Flow::Done)
    }

    fn unlisten(&mut self, name: &Named) -> bool {
        self.retained.retain(|walk| *walk.permit.filter() != name.filter);
        self.hears.retain(|known| known.filter != name.filter || known.share != name.share);
        if hears_rooms(&name.filter) {
            self.unfollow_rooms();
        }
        self.seat.unsubscribe(&name.filter, name.share.as_deref())
    }

    /// Tells some of what is retained for new subscriptions; whether there was any.
    pub(super) fn tell_retained(&mut self) -> Result<bool, End> {
        let Some(walk) = self.retained.pop_front() else { return Ok(false) };
        let Walk { permit, own, after, qos, id } = walk;
        if let Some(from) = own {
            let own = self.tell_own(permit.filter(), (qos, id), from);
            self.retained.push_front(Walk { permit, own, after, qos, id });
            return Ok(true);
        }
        let page = self.broker.node.read(|reading| {
            let page = reading.retained(&permit, after.as_ref(), MQTT_RETAINED_AT_ONCE)?;
            Ok((page, reading.now()))
        });
        let Ok((page, now)) = page else { return Ok(true) };
        if let Some(after) = page.reached {
            self.retained.push_front(Walk { permit, own, after: Some(after), qos, id });
        }
        for (seq, publication, moment) in page.found {
            let qos = qos.min(publication.qos);
            let (at_ms, ids) = (at_ms(&moment, &now), id.into_iter().collect());
            // What is retained is told anew at every subscription: it holds back no place in the order.
            let seq = Some(seq).filter(|_| qos == Qos::Exactly && self.session.is_stored);
            self.offer(Delivery {
                publication,
                seq,
                qos,
                retain: true,
                ids,
                at_ms,
                shared: None,
                shared_by: None,
            });
        }
        Ok(true)
    }
}

impl Broker {
    /// Has a seat hear a filter, if its caller may: whether it is new to it, by which right, from which place on.
    pub(super) fn listen(
        &self,
        caller: &Caller,
        seat: &TopicSeat,
        subscription: &Subscription,
    ) -> Result<(bool, MaySubscribe, Seq), Refusal> {
        for _ in 0..STALE_RETRIES_MAX {
            let (permit, as_of) = self.node.read(|reading| {
                let actor = reading.actor(caller)?;
                reading.may_subscribe(&actor, &subscription.filter)
            })?;
            match seat.subscribe(&permit, subscription, as_of) {
                Ok(is_new) => return Ok((is_new, permit, as_of)),
                Err(Refused::Stale) => {}
                Err(Refused::TooManyFilters) => {
                    return Err(Refusal::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
                }
                Err(_) => return Err(Refusal::TokenUnknown),
            }
        }
        Err(Refusal::Busy)
    }
}

fn asked(wanted: &Wanted, id: Option<u32>, made: Seq, is_bridge: bool) -> Asked {
    let answer = wanted.name.clone().map(|Named { share, filter }| Subscription {
        filter,
        share,
        qos: wanted.qos,
        no_local: wanted.no_local || is_bridge,
        retain_as_published: wanted.retain_as_published || is_bridge,
        id,
        made,
    });
    Asked { answer, retained: wanted.retained }
}
