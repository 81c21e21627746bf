//! Publications, sessions and rights of topics out of a seed.

use super::Chance;
use linnet::base::id::Seq;
use linnet::chat::change::What;
use linnet::chat::device::TopicRights;
use linnet::chat::publication::{LastWill, Publication, Qos, Subscription, TopicSession};
use linnet::chat::topic::{Filter, Topic};
use std::sync::Arc;

impl Chance {
    fn filter(&self) -> Filter {
        let levels = ["a", "b/+", "+", "é/", "$SYS", "garden/soil", "#"];
        let level = levels[self.below(7) as usize];
        Filter::parse(&[self.words(9).replace(['+', '#'], ""), level.into()].join("/")).unwrap()
    }

    pub fn topic_rights(&self) -> TopicRights {
        let filters = || self.some(5, || self.filter());
        TopicRights { publish: filters(), subscribe: filters(), command: filters() }
    }

    fn qos(&self) -> Qos {
        [Qos::Most, Qos::Least, Qos::Exactly][self.below(3) as usize]
    }

    pub fn publication(&self) -> Publication {
        Publication {
            topic: Topic::parse(&format!("a/{}", self.words(30))).unwrap(),
            payload: self.some(200, || self.below(256) as u8).into(),
            qos: self.qos(),
            retain: self.coin(),
            expiry_s: self.maybe(|| self.number() as u32),
            properties: self.maybe(|| self.some(50, || self.below(256) as u8).into()),
            by: self.user_id(),
            client: self.words(20).into(),
        }
    }

    pub fn subscription(&self) -> Subscription {
        Subscription {
            filter: self.filter(),
            share: self.maybe(|| self.words(9).into()),
            qos: self.qos(),
            no_local: self.coin(),
            retain_as_published: self.coin(),
            id: self.maybe(|| self.number() as u32),
            made: Seq(self.number()),
        }
    }

    pub fn topic_session(&self) -> TopicSession {
        TopicSession {
            client: self.words(20).into(),
            user: self.user_id(),
            expiry_s: self.maybe(|| self.number() as u32),
            heard: Seq(self.number()),
            dropped: self.number(),
            left: self.coin(),
        }
    }

    pub(super) fn about_topics(&self, which: u64) -> What {
        let client = self.words(20).into();
        let packet = self.number() as u16;
        match which {
            24 => What::Published {
                publication: self.publication().into(),
                receipt: self.maybe(|| self.number() as u16),
            },
            25 => What::ReceiptReleased { client, packet },
            26 => What::TopicSessionSet(self.topic_session()),
            27 => What::TopicSessionMoved { client, heard: Seq(self.number()), dropped: self.number() },
            28 => What::TopicSessionGone { client },
            29 => What::SubscriptionSet { client, subscription: self.subscription() },
            30 => What::SubscriptionGone {
                client,
                filter: self.filter(),
                share: self.maybe(|| self.words(9).into()),
            },
            31 => {
                let delivery = || (self.number() as u16, Seq(self.number()));
                What::HandedOut { client, deliveries: self.some(20, delivery) }
            }
            32 => What::HandOutStep { client, packet, done: self.coin() },
            34 => What::ReceiptTaken { client, packet },
            35 => What::WillSet(Arc::new(LastWill {
                token: self.maybe(|| self.hash()),
                publication: self.publication(),
                delay_s: self.number() as u32,
                waits: self.coin(),
            })),
            _ => What::WillGone { client },
        }
    }
}
