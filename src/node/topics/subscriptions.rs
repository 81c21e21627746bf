//! What sessions of topics hear.

use crate::base::limits::SUBSCRIPTIONS_MAX;
use crate::chat::change::What;
use crate::chat::policy::{self, Actor};
use crate::chat::publication::{Qos, Subscription};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::node::caller::Caller;
use crate::node::topics::well_formed;
use crate::node::{Node, refuse};
use crate::store::index::topics::Topics;
use smol_str::SmolStr;

impl Node {
    /// The session hears these from here on; one of the same filter and group that it hears already goes on as it is
    /// asked now, and nothing between is missed. Each is answered for itself.
    pub fn subscribe_topics(
        &mut self,
        caller: &Caller,
        client: &str,
        wanted: Vec<Subscription>,
    ) -> Result<Vec<Result<Subscription, Refusal>>, Refusal> {
        let actor = self.actor(caller)?;
        let client = self.topic_session_for(caller, client)?.client;
        if wanted.len() > SUBSCRIPTIONS_MAX {
            return Err(Refusal::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
        }
        let mut count = self.topic_subscriptions(&client).map_err(refuse)?.len();
        let mut answers = Vec::with_capacity(wanted.len());
        for subscription in wanted {
            let answer = self.subscribe_topic(&actor, &client, subscription, &mut count);
            match answer {
                // The store failed, or has no room: that is no answer to one of them.
                Err(refusal @ (Refusal::StoreFailed | Refusal::DiskFull)) => return Err(refusal),
                answer => answers.push(answer),
            }
        }
        Ok(answers)
    }

    fn subscribe_topic(
        &mut self,
        actor: &Actor,
        client: &SmolStr,
        wanted: Subscription,
        count: &mut usize,
    ) -> Result<Subscription, Refusal> {
        policy::may_subscribe(actor, &wanted.filter)?;
        if let Some(share) = &wanted.share {
            well_formed("the name of a shared subscription", share)?;
        }
        let known =
            self.topic_subscription(client, &wanted.filter, wanted.share.as_deref()).map_err(refuse)?;
        let known = known.map(|(known, _)| known);
        if known.is_none() && *count >= SUBSCRIPTIONS_MAX {
            return Err(Refusal::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
        }
        *count += usize::from(known.is_none());
        let made = known.as_ref().map_or(self.next_seq(), |known| known.made);
        let mut subscription = Subscription { made, ..wanted };
        if let Some(share) = &subscription.share {
            subscription.qos = subscription.qos.min(Qos::Least);
            self.join_group(client, (&subscription.filter, share), subscription.qos)?;
        }
        if known.as_ref() != Some(&subscription) {
            let (client, subscription) = (client.clone(), subscription.clone());
            self.append(What::SubscriptionSet { client, subscription })?;
        }
        Ok(subscription)
    }

    /// The session hears these no longer; for each, whether it did.
    pub fn unsubscribe_topics(
        &mut self,
        caller: &Caller,
        client: &str,
        unwanted: Vec<(Filter, Option<SmolStr>)>,
    ) -> Result<Vec<bool>, Refusal> {
        let client = self.topic_session_for(caller, client)?.client;
        if unwanted.len() > SUBSCRIPTIONS_MAX {
            return Err(Refusal::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
        }
        let mut answers = Vec::with_capacity(unwanted.len());
        for (filter, share) in unwanted {
            let known =
                self.topic_subscription(&client, &filter, share.as_deref()).map_err(refuse)?.is_some();
            if known {
                if let Some(share) = &share {
                    self.leave_group(&client, &filter, share)?;
                }
                self.append(What::SubscriptionGone { client: client.clone(), filter, share })?;
            }
            answers.push(known);
        }
        Ok(answers)
    }
}
