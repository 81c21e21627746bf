//! Looking what topics say and how a binding would read in a room, before anything is bound: what is asked and answered,
//! for every door that offers it. How it is done, the door of MQTT knows.

use crate::chat::refusal::Refusal;
use crate::node::Caller;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The topic filter.
    pub filter: String,
    /// Where the value is; guessed where neither this nor a text is given.
    pub value: Option<String>,
    /// How it is to read.
    pub text: Option<String>,
    /// The room that the printed block names.
    pub room: String,
    /// For how long to listen.
    pub seconds: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What was published, oldest first; what is retained is before it.
    pub messages: Vec<TriedMessage>,
    /// Whether there was more than is shown.
    pub more: bool,
    /// The keys of the block that would bind it.
    pub keys: String,
}

/// A publication, and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedMessage {
    /// Where.
    pub topic: String,
    /// What, for people: cut where it is long.
    pub payload: String,
    /// Whether it is the topic's state, published before.
    pub retained: bool,
    /// How it reads in the room; nothing where it cannot be said.
    pub text: Option<String>,
    /// Why it would not be said.
    pub withheld: Option<String>,
}

/// Why nothing was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTried {
    /// The node does not let it.
    Refused(Refusal),
    /// What was asked for is written wrong; how to write it.
    Wrong(String),
}

impl From<Refusal> for NotTried {
    fn from(refusal: Refusal) -> Self {
        NotTried::Refused(refusal)
    }
}

/// A look that goes on.
pub type Trying = Pin<Box<dyn Future<Output = Result<Tried, NotTried>> + Send>>;

/// What takes such a look for somebody.
#[derive(Clone)]
pub struct Trier(pub Arc<dyn Fn(Caller, Order) -> Trying + Send + Sync>);

impl std::fmt::Debug for Trier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trier")
    }
}
