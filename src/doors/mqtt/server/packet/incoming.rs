//! What clients send, whatever their version. Version 4 and 3 have the defaults that 5.0 names.

use super::{Reason, Version};
use crate::chat::publication::Qos;
use crate::chat::refusal::Refusal;
use crate::chat::topic::{Filter, Topic};
use smol_str::SmolStr;
use std::fmt;

/// A packet from a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum In {
    /// The first of a connection, and only that.
    Connect(Box<Connect>),
    /// Something is published.
    Publish(Publish),
    /// QoS 1: the client has it.
    PubAck(Ack),
    /// QoS 2: the client has it; it waits for PUBREL.
    PubRec(Ack),
    /// QoS 2: the client gives the packet id free.
    PubRel(Ack),
    /// QoS 2: the client is done with it.
    PubComp(Ack),
    /// The client wants to hear.
    Subscribe(Subscribe),
    /// The client wants to hear no more.
    Unsubscribe(Unsubscribe),
    /// The client is there.
    PingReq,
    /// The client goes.
    Disconnect(Disconnect),
    /// A step of an authentication that goes on; nobody here speaks one.
    Auth(Reason),
}

/// Who connects, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// What it speaks.
    pub version: Version,
    /// Whether it is another broker's bridge: it is not told what it brought, and hears what is retained as such.
    pub is_bridge: bool,
    /// Its id; empty: the server gives it one.
    pub client: SmolStr,
    /// Whether an earlier session is forgotten.
    pub clean: bool,
    /// Seconds after one and a half times of which a silent client is gone; 0: never.
    pub keep_alive_s: u16,
    /// The user's name.
    pub user: Option<SmolStr>,
    /// The password: any bytes.
    pub password: Option<Box<[u8]>>,
    /// What is published when it is gone without a word.
    pub will: Option<Will>,
    /// Seconds the session outlives the connection; `u32::MAX`: for ever. Before 5.0, 0 with a clean session and for ever
    /// without.
    pub expiry_s: u32,
    /// How many publications of QoS 1 and 2 may be on their way to it; never 0.
    pub receive_max: u16,
    /// Bytes of the longest packet it takes; never 0.
    pub packet_bytes_max: Option<u32>,
    /// The highest topic alias it takes; 0: none.
    pub aliases_max: u16,
    /// Whether it asks where to expect responses.
    pub wants_response_information: bool,
    /// Whether it wants reason strings and user properties with answers.
    pub wants_problem_information: bool,
    /// The method of an extended authentication.
    pub authentication: Option<SmolStr>,
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of every log.
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("client", &self.client)
            .field("clean", &self.clean)
            .field("keep_alive_s", &self.keep_alive_s)
            .field("user", &self.user)
            .field("will", &self.will)
            .field("expiry_s", &self.expiry_s)
            .finish_non_exhaustive()
    }
}

/// What is published for a client that is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Will {
    /// Where.
    pub topic: Topic,
    /// What.
    pub payload: Box<[u8]>,
    /// How sure.
    pub qos: Qos,
    /// Whether it is its topic's state from then on.
    pub retain: bool,
    /// Seconds it waits, in case the client comes back.
    pub delay_s: u32,
    /// Seconds after which it is not delivered any more, counted from its publication.
    pub expiry_s: Option<u32>,
    /// As [`Publish::properties`].
    pub properties: Option<Box<[u8]>>,
}

/// Something published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publish {
    /// Whether it may have come before.
    pub dup: bool,
    /// How sure.
    pub qos: Qos,
    /// Whether it is its topic's state from now on.
    pub retain: bool,
    /// Where; `None` only with an alias.
    pub topic: Option<Topic>,
    /// Its packet id; `None` exactly with QoS 0, never 0.
    pub packet: Option<u16>,
    /// The number that stands for its topic on this connection; never 0.
    pub alias: Option<u16>,
    /// Seconds after which it is not delivered any more.
    pub expiry_s: Option<u32>,
    /// What else its publisher said of it: payload format, content type, response topic, correlation data and user
    /// properties in the order they came, as 5.0 writes them and without the length before them.
    pub properties: Option<Box<[u8]>>,
    /// What.
    pub payload: Box<[u8]>,
}

/// The answer to a packet with an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    /// Whose answer.
    pub packet: u16,
    /// How it went.
    pub reason: Reason,
}

/// What a client wants to hear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscribe {
    /// Its packet id.
    pub packet: u16,
    /// The number its publications are marked with; 1 to 268,435,455.
    pub id: Option<u32>,
    /// At least one.
    pub filters: Vec<Wanted>,
}

/// One filter of a SUBSCRIBE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which topics. A filter that is well formed and longer than linnet takes is refused alone.
    pub name: Result<Named, Refusal>,
    /// At most this sure.
    pub qos: Qos,
    /// Not what the client itself published.
    pub no_local: bool,
    /// Whether the retain flag is passed on as it was published.
    pub retain_as_published: bool,
    /// Which retained publications it hears first.
    pub retained: Retained,
}

/// A filter, and the group that shares it (`$share/GROUP/FILTER`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Named {
    /// The group.
    pub share: Option<SmolStr>,
    /// The filter without the group.
    pub filter: Filter,
}

/// When a subscription hears what is retained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retained {
    /// At every SUBSCRIBE.
    Always,
    /// When the subscription is new.
    IfNew,
    /// Not at all.
    Never,
}

/// What a client wants to hear no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsubscribe {
    /// Its packet id.
    pub packet: u16,
    /// At least one; refused alone as in [`Wanted::name`].
    pub filters: Vec<Result<Named, Refusal>>,
}

/// A client says that it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disconnect {
    /// Why; [`Reason::WITH_WILL`] and failures leave the will in force.
    pub reason: Reason,
    /// Seconds the session outlives the connection after all.
    pub expiry_s: Option<u32>,
}
