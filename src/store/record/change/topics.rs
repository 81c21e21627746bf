//! What happens to topics and their sessions, as bytes.

use super::tag;
use crate::base::id::Seq;
use crate::chat::change::What;
use crate::chat::publication::{LastWill, Publication, Subscription, TopicSession};
use crate::chat::token::TokenHash;
use crate::chat::topic::Topic;
use crate::store::record::RecordError;
use crate::store::record::codes::qos;
use crate::store::record::form::{self, Blob, List, Reader, Writer};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
struct PublicationForm<'a> {
    topic: &'a str,
    #[serde(borrow)]
    payload: Blob<'a>,
    qos: u8,
    retain: bool,
    expiry_s: Option<u32>,
    properties: Option<Blob<'a>>,
    by: &'a str,
    client: &'a str,
}

impl<'a> From<&'a Publication> for PublicationForm<'a> {
    fn from(publication: &'a Publication) -> Self {
        Self {
            topic: publication.topic.as_str(),
            payload: Blob(&publication.payload),
            qos: qos::code(publication.qos),
            retain: publication.retain,
            expiry_s: publication.expiry_s,
            properties: publication.properties.as_deref().map(Blob),
            by: publication.by.as_str(),
            client: &publication.client,
        }
    }
}

impl TryFrom<PublicationForm<'_>> for Publication {
    type Error = RecordError;

    fn try_from(form: PublicationForm<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            topic: Topic::parse(form.topic).map_err(|_| RecordError::Damaged { part: "topic" })?,
            payload: form.payload.0.into(),
            qos: qos::parse(form.qos)?,
            retain: form.retain,
            expiry_s: form.expiry_s,
            properties: form.properties.map(|properties| properties.0.into()),
            by: form::user_id(form.by)?,
            client: form.client.into(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SubscriptionForm<'a> {
    filter: &'a str,
    share: Option<&'a str>,
    qos: u8,
    no_local: bool,
    retain_as_published: bool,
    id: Option<u32>,
    made: u64,
}

impl<'a> From<&'a Subscription> for SubscriptionForm<'a> {
    fn from(subscription: &'a Subscription) -> Self {
        Self {
            filter: subscription.filter.as_str(),
            share: subscription.share.as_deref(),
            qos: qos::code(subscription.qos),
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
            id: subscription.id,
            made: subscription.made.0,
        }
    }
}

impl TryFrom<SubscriptionForm<'_>> for Subscription {
    type Error = RecordError;

    fn try_from(form: SubscriptionForm<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            filter: form::filter(form.filter)?,
            share: form.share.map(SmolStr::new),
            qos: qos::parse(form.qos)?,
            no_local: form.no_local,
            retain_as_published: form.retain_as_published,
            id: form.id,
            made: Seq(form.made),
        })
    }
}

/// Appends what happened to topics.
pub(super) fn write(what: &What, out: &mut Writer<'_>) -> Result<(), RecordError> {
    match what {
        What::Published { publication, receipt } => {
            out.put(&(PublicationForm::from(&**publication), receipt))
        }
        What::ReceiptTaken { client, packet } | What::ReceiptReleased { client, packet } => {
            out.put(&(client.as_str(), packet))
        }
        What::TopicSessionSet(session) => {
            let TopicSession { client, user, expiry_s, heard, dropped, left } = session;
            out.put(&(client.as_str(), user.as_str(), expiry_s, heard.0, dropped, left))
        }
        What::TopicSessionMoved { client, heard, dropped } => out.put(&(client.as_str(), heard.0, dropped)),
        What::TopicSessionGone { client } => out.put(client.as_str()),
        What::SubscriptionSet { client, subscription } => {
            out.put(&(client.as_str(), SubscriptionForm::from(subscription)))
        }
        What::SubscriptionGone { client, filter, share } => {
            out.put(&(client.as_str(), filter.as_str(), share.as_deref()))
        }
        What::HandedOut { client, deliveries } => {
            let deliveries: List<_> = deliveries.iter().map(|(packet, seq)| (*packet, seq.0)).collect();
            out.put(&(client.as_str(), deliveries))
        }
        What::WillSet(will) => {
            let LastWill { token, publication, delay_s, waits } = &**will;
            out.put(&(token.map(|token| token.0), PublicationForm::from(publication), delay_s, waits))
        }
        What::WillGone { client } => out.put(client.as_str()),
        What::HandOutStep { client, packet, done } => out.put(&(client.as_str(), packet, done)),
        _ => Err(RecordError::Damaged { part: "tag" }),
    }
}

/// Takes what happened to topics.
pub(super) fn read(tag: u16, from: &mut Reader<'_>) -> Result<What, RecordError> {
    Ok(match tag {
        tag::PUBLISHED => {
            let (publication, receipt): (PublicationForm<'_>, _) = from.take()?;
            What::Published { publication: Arc::new(publication.try_into()?), receipt }
        }
        tag::RECEIPT_RELEASED => {
            let (client, packet): (&str, _) = from.take()?;
            What::ReceiptReleased { client: client.into(), packet }
        }
        tag::RECEIPT_TAKEN => {
            let (client, packet): (&str, _) = from.take()?;
            What::ReceiptTaken { client: client.into(), packet }
        }
        tag::TOPIC_SESSION_SET => {
            let (client, user, expiry_s, heard, dropped, left): (&str, _, _, _, _, _) = from.take()?;
            let (client, user) = (client.into(), form::user_id(user)?);
            What::TopicSessionSet(TopicSession { client, user, expiry_s, heard: Seq(heard), dropped, left })
        }
        tag::TOPIC_SESSION_MOVED => {
            let (client, heard, dropped): (&str, _, _) = from.take()?;
            What::TopicSessionMoved { client: client.into(), heard: Seq(heard), dropped }
        }
        tag::TOPIC_SESSION_GONE => What::TopicSessionGone { client: from.take::<&str>()?.into() },
        tag::SUBSCRIPTION_SET => {
            let (client, subscription): (&str, SubscriptionForm<'_>) = from.take()?;
            What::SubscriptionSet { client: client.into(), subscription: subscription.try_into()? }
        }
        tag::SUBSCRIPTION_GONE => {
            let (client, filter, share): (&str, &str, Option<&str>) = from.take()?;
            let (filter, share) = (form::filter(filter)?, share.map(SmolStr::new));
            What::SubscriptionGone { client: client.into(), filter, share }
        }
        tag::HANDED_OUT => {
            let (client, deliveries): (&str, List<(u16, u64)>) = from.take()?;
            let deliveries = deliveries.0.into_iter().map(|(packet, seq)| (packet, Seq(seq))).collect();
            What::HandedOut { client: client.into(), deliveries }
        }
        tag::WILL_SET => {
            let (token, publication, delay_s, waits): (Option<_>, PublicationForm<'_>, _, _) = from.take()?;
            let (token, publication) = (token.map(TokenHash), publication.try_into()?);
            What::WillSet(Arc::new(LastWill { token, publication, delay_s, waits }))
        }
        tag::WILL_GONE => What::WillGone { client: from.take::<&str>()?.into() },
        tag::HAND_OUT_STEP => {
            let (client, packet, done): (&str, _, _) = from.take()?;
            What::HandOutStep { client: client.into(), packet, done }
        }
        _ => return Err(RecordError::Damaged { part: "tag" }),
    })
}
