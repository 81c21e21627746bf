//! Groups that share a subscription, as far as sessions that outlive their connections are in them.
//!
//! Such a group has a session of its own, under a name that no client can have: how far it has heard. Its members stand in
//! it as its subscriptions. It begins with the first and is gone with the last of them, so that what is published
//! while all of them are away is kept, once for all.

use crate::base::id::Seq;
use crate::base::limits::SUBSCRIPTIONS_MAX;
use crate::chat::change::What;
use crate::chat::policy;
use crate::chat::publication::{Qos, Subscription, TopicSession, group_session};
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::node::caller::{ANONYMOUS, Caller};
use crate::node::{Node, refuse};
use crate::store::index::topics::Topics;
use smol_str::SmolStr;

impl Node {
    /// A session's client is in a group from here on, if it wants to be sure; else it is not.
    pub(super) fn join_group(
        &mut self,
        client: &SmolStr,
        (filter, share): (&Filter, &SmolStr),
        qos: Qos,
    ) -> Result<(), Refusal> {
        if qos == Qos::Most {
            return self.leave_group(client, filter, share);
        }
        let group = group_session(share, filter);
        if self.topic_session_kept(&group).map_err(refuse)?.is_none() {
            self.make_room_for_a_session()?;
            let (client, heard) = (group.clone(), self.next_seq());
            let user = ANONYMOUS;
            let session = TopicSession { client, user, expiry_s: None, heard, dropped: 0, left: true };
            self.append(What::TopicSessionSet(session))?;
        }
        if self.topic_subscription(&group, filter, Some(client)).map_err(refuse)?.is_some() {
            return Ok(());
        }
        if self.topic_subscriptions(&group).map_err(refuse)?.len() >= SUBSCRIPTIONS_MAX {
            return Err(Refusal::TooMany {
                what: "sessions that share a subscription",
                max: SUBSCRIPTIONS_MAX,
            });
        }
        let subscription = Subscription {
            filter: filter.clone(),
            share: Some(client.clone()),
            qos: Qos::Least,
            no_local: false,
            retain_as_published: false,
            id: None,
            made: self.next_seq(),
        };
        self.append(What::SubscriptionSet { client: group, subscription }).map(drop)
    }

    /// A session's client is in a group no longer; the group is gone with the last.
    pub(super) fn leave_group(
        &mut self,
        client: &SmolStr,
        filter: &Filter,
        share: &str,
    ) -> Result<(), Refusal> {
        let group = group_session(share, filter);
        if self.topic_subscription(&group, filter, Some(client)).map_err(refuse)?.is_none() {
            return Ok(());
        }
        let (share, filter) = (Some(client.clone()), filter.clone());
        self.append(What::SubscriptionGone { client: group.clone(), filter, share })?;
        if self.topic_subscriptions(&group).map_err(refuse)?.is_empty() {
            self.append(What::TopicSessionGone { client: group })?;
        }
        Ok(())
    }

    /// A session is gone, with its places in groups.
    pub(super) fn session_gone(&mut self, client: SmolStr) -> Result<(), Refusal> {
        for subscription in self.topic_subscriptions(&client).map_err(refuse)? {
            if let Some(share) = &subscription.share {
                self.leave_group(&client, &subscription.filter, share)?;
            }
        }
        self.append(What::TopicSessionGone { client }).map(drop)
    }

    /// A group has acknowledged everything up to this place, says one who may be in it. It never goes back.
    pub fn move_group(
        &mut self,
        caller: &Caller,
        share: &str,
        filter: &Filter,
        heard: Seq,
    ) -> Result<(), Refusal> {
        policy::may_subscribe(&self.actor(caller)?, filter)?;
        let known = self.topic_session(&group_session(share, filter)).map_err(refuse)?;
        let TopicSession { client, heard: before, dropped, .. } = known.ok_or(Refusal::NoSuchSession)?;
        let heard = heard.min(self.last);
        if heard > before {
            self.append(What::TopicSessionMoved { client, heard, dropped })?;
        }
        Ok(())
    }
}
