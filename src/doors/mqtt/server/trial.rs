//! A look at what is published here, for somebody who may administer the node.

use super::Broker;
use crate::base::id::Seq;
use crate::base::limits::{
    MQTT_EVENTS_AT_ONCE, MQTT_RETAINED_AT_ONCE, STALE_RETRIES_MAX, TOPIC_PAGE_BYTES_MAX,
};
use crate::base::limits::{TRY_MESSAGES_MAX, TRY_SECONDS_MAX};
use crate::chat::policy::MaySubscribe;
use crate::chat::publication::{Qos, Subscription};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::delivery::{Refused, TopicSeat, TopicWho};
use crate::doors::mqtt::binding::Trial;
use crate::doors::trial::{NotTried, Order, Tried, Trier};
use crate::node::Caller;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What takes a look at this broker's topics.
pub fn trier(broker: Arc<Broker>) -> Trier {
    Trier(Arc::new(move |caller, order| {
        let broker = broker.clone();
        Box::pin(async move { look(&broker, &caller, &order).await })
    }))
}

async fn look(broker: &Broker, caller: &Caller, order: &Order) -> Result<Tried, NotTried> {
    broker.node.read(|reading| reading.may_try(caller))?;
    let mut trial = Trial::of(order).map_err(NotTried::Wrong)?;
    let filter = Filter::parse(&order.filter)?;
    let _place = broker.tries.try_acquire().map_err(|_| Refusal::Busy)?;
    let until = Instant::now() + Duration::from_secs(order.seconds.min(TRY_SECONDS_MAX));
    let (mut seat, permit) = broker.sit_down(caller, &filter)?;
    if broker.show_retained(&permit, &mut trial)? {
        // Nobody listens longer than they asked for.
        let _ = timeout_at(until, listen(&mut seat, &mut trial)).await;
    }
    Ok(trial.finish())
}

/// Until there is no room for more, or nobody may listen any more.
async fn listen(seat: &mut TopicSeat, trial: &mut Trial) {
    loop {
        seat.ready().await;
        let drained = seat.drain(MQTT_EVENTS_AT_ONCE, TOPIC_PAGE_BYTES_MAX);
        for parcel in &drained.parcels {
            let publication = parcel.sheet.publication();
            if !trial.hear(publication.topic.as_str(), &publication.payload, false) {
                return;
            }
        }
        if drained.ended.is_some() || !drained.cut.is_empty() {
            return;
        }
    }
}

impl Broker {
    /// What is retained, as far as there is room; whether there is room for more.
    fn show_retained(&self, permit: &MaySubscribe, trial: &mut Trial) -> Result<bool, Refusal> {
        let mut after = None;
        // Some pages may be empty: what cannot be read any more is passed over.
        for _ in 0..TRY_MESSAGES_MAX {
            let page =
                self.node.read(|reading| reading.retained(permit, after.as_ref(), MQTT_RETAINED_AT_ONCE))?;
            for (_, publication, _) in &page.found {
                if !trial.hear(publication.topic.as_str(), &publication.payload, true) {
                    return Ok(false);
                }
            }
            after = page.reached;
            if after.is_none() {
                break;
            }
        }
        Ok(true)
    }

    fn sit_down(&self, caller: &Caller, filter: &Filter) -> Result<(TopicSeat, MaySubscribe), Refusal> {
        let seat = self.take_seat(caller)?;
        let subscription = Subscription {
            filter: filter.clone(),
            share: None,
            qos: Qos::Most,
            no_local: false,
            retain_as_published: false,
            id: None,
            made: Seq(0),
        };
        let (_, permit, _) = self.listen(caller, &seat, &subscription)?;
        Ok((seat, permit))
    }

    fn take_seat(&self, caller: &Caller) -> Result<TopicSeat, Refusal> {
        for _ in 0..STALE_RETRIES_MAX {
            let (as_of, actor) = self.node.read(|reading| Ok((reading.newest(), reading.actor(caller)?)))?;
            let token = if let Caller::Token(hash) = caller { Some(*hash) } else { None };
            let client = SmolStr::new_static("");
            let who = TopicWho { actor, token, by_certificate: false, client, is_persistent: false };
            match self.node.hub.take_topic_seat(who, as_of) {
                Ok(seat) => return Ok(seat),
                Err(Refused::Stale) => {}
                Err(_) => break,
            }
        }
        Err(Refusal::Busy)
    }
}
