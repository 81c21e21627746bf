//! The keys of topics and their sessions.

use super::{
    HAND_OUT, Key, RECEIPT, RETAINED, SUBSCRIPTION, TOPIC_HEARD, TOPIC_SESSION, WILL, key, text_after,
};
use crate::chat::topic::{Filter, Topic};

/// A client's session of topics. Its id holds no NUL.
pub fn topic_session(client: &str) -> Key {
    key(TOPIC_SESSION, &[client.as_bytes()])
}

/// All sessions of topics.
pub fn topic_sessions() -> Key {
    key(TOPIC_SESSION, &[])
}

/// How far a client's session of topics has heard.
pub fn topic_heard(client: &str) -> Key {
    key(TOPIC_HEARD, &[client.as_bytes()])
}

/// A session's subscription to a filter, which a group may share. Neither holds a NUL.
pub fn subscription(client: &str, share: Option<&str>, filter: &Filter) -> Key {
    let (share, filter) = (share.unwrap_or_default(), filter.as_str());
    key(SUBSCRIPTION, &[client.as_bytes(), &[0], share.as_bytes(), &[0], filter.as_bytes()])
}

/// All subscriptions of a session.
pub fn subscriptions(client: &str) -> Key {
    key(SUBSCRIPTION, &[client.as_bytes(), &[0]])
}

/// The publication that came from a session's client with this packet id.
pub fn receipt(client: &str, packet: u16) -> Key {
    key(RECEIPT, &[client.as_bytes(), &[0], &packet.to_be_bytes()])
}

/// All packet ids that a session's client has not released.
pub fn receipts(client: &str) -> Key {
    key(RECEIPT, &[client.as_bytes(), &[0]])
}

/// The publication that goes to a session's client with this packet id.
pub fn hand_out(client: &str, packet: u16) -> Key {
    key(HAND_OUT, &[client.as_bytes(), &[0], &packet.to_be_bytes()])
}

/// All that is on its way to a session's client.
pub fn hand_outs(client: &str) -> Key {
    key(HAND_OUT, &[client.as_bytes(), &[0]])
}

/// The packet id in the key of a receipt or a hand-out.
pub fn packet_of(key: &[u8]) -> Option<u16> {
    key.last_chunk().map(|packet| u16::from_be_bytes(*packet))
}

/// The publication that is the state of this topic.
pub fn retained(topic: &Topic) -> Key {
    retained_from(topic.as_str())
}

/// Those of all topics that begin so.
pub fn retained_from(beginning: &str) -> Key {
    key(RETAINED, &[beginning.as_bytes()])
}

/// The topic in the key of a retained publication.
pub fn retained_topic(key: &[u8]) -> Option<Topic> {
    Topic::parse(text_after(&[RETAINED], key)?).ok()
}

/// The last will of a client.
pub fn will(client: &str) -> Key {
    key(WILL, &[client.as_bytes()])
}

/// The last wills of all clients.
pub fn wills() -> Key {
    key(WILL, &[])
}
