//! What devices tell each other: publications to topics, and the sessions that hear of them while nobody is there.

use crate::base::id::{Seq, UserId};
use crate::chat::change::What;
use crate::chat::token::TokenHash;
use crate::chat::topic::{Filter, Topic};
use smol_str::SmolStr;

/// How sure a delivery is (MQTT 5.0, section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Qos {
    /// At most once.
    #[default]
    Most = 0,
    /// At least once.
    Least = 1,
    /// Exactly once.
    Exactly = 2,
}

/// Something that was published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// What it is about.
    pub topic: Topic,
    /// What it says; at most [`PUBLICATION_BYTES_MAX`](crate::base::limits::PUBLICATION_BYTES_MAX) bytes.
    pub payload: Box<[u8]>,
    /// How sure its publisher wanted it.
    pub qos: Qos,
    /// Whether it is the state of its topic from now on; an empty payload takes the state away.
    pub retain: bool,
    /// Seconds after which it is not delivered any more, counted from its Change's or its arrival's monotonic time.
    pub expiry_s: Option<u32>,
    /// What else its publisher said of it, in the form the door writes and only the door reads.
    pub properties: Option<Box<[u8]>>,
    /// Who published it.
    pub by: UserId,
    /// The client that published it: a subscription may leave out its own.
    pub client: SmolStr,
}

/// What a session wants to hear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// Which topics.
    pub filter: Filter,
    /// The group that shares it: each publication goes to one of them.
    pub share: Option<SmolStr>,
    /// At most this sure.
    pub qos: Qos,
    /// Not what the session's own client published.
    pub no_local: bool,
    /// Whether the retain flag is passed on as it was published.
    pub retain_as_published: bool,
    /// The number its publications are marked with.
    pub id: Option<u32>,
    /// The place in the order at which it was made: what is after it is heard.
    pub made: Seq,
}

/// What is published when a client is gone without a word. Whose it is its publication says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastWill {
    /// The token by which its client came; it is published with the right that gives.
    pub token: Option<TokenHash>,
    /// What is published.
    pub publication: Publication,
    /// Seconds it waits after the connection's end.
    pub delay_s: u32,
    /// Whether the connection has ended, and it waits.
    pub waits: bool,
}

/// The name under which a group that shares a filter has a session of its own: how far the group has heard.
pub fn group_session(share: &str, filter: &Filter) -> SmolStr {
    SmolStr::new(format!("{GROUP}{share}/{filter}"))
}

/// The group and the filter of such a session; nothing for a client's.
pub fn group_of(client: &str) -> Option<(&str, &str)> {
    client.strip_prefix(GROUP)?.split_once('/')
}

/// What the sessions of groups begin with, and those of clients do not.
const GROUP: &str = "$share/";

/// A session that outlives its connection: how far it has heard, and for how long it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicSession {
    /// The client's own id; one session each.
    pub client: SmolStr,
    /// Whose it is: nobody else takes it over.
    pub user: UserId,
    /// Seconds it is kept after its connection ended; `None` for ever, within
    /// [`TOPIC_SESSIONS_MAX`](crate::base::limits::TOPIC_SESSIONS_MAX).
    pub expiry_s: Option<u32>,
    /// Everything up to this place was heard, or dropped.
    pub heard: Seq,
    /// Publications it was too far behind for, ever.
    pub dropped: u64,
    /// Whether its connection has ended, so that the time it is kept runs.
    pub left: bool,
}

impl What {
    /// Whether it is about topics: what is published, and the sessions that hear of it.
    pub fn is_about_topics(&self) -> bool {
        matches!(
            self,
            What::Published { .. }
                | What::ReceiptTaken { .. }
                | What::ReceiptReleased { .. }
                | What::TopicSessionSet(_)
                | What::TopicSessionMoved { .. }
                | What::TopicSessionGone { .. }
                | What::SubscriptionSet { .. }
                | What::SubscriptionGone { .. }
                | What::HandedOut { .. }
                | What::HandOutStep { .. }
                | What::WillSet(_)
                | What::WillGone { .. }
        )
    }
}
