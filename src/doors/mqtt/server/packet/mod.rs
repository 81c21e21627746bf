//! The packets of the broker's door: bytes of MQTT 3.1, 3.1.1 and 5.0 on one side, the same neutral types for all three
//! on the other. What a session does with a packet is not decided here.
//!
//! Readers and writers are the door's own. rumqttc's modules were written for clients, whose broker they trust: they take
//! properties twice, identifiers of 0, NUL in strings, reserved bits and bytes behind the end, they refuse a password
//! that is no text and `E0 00` in 5.0, they cannot tell an empty password from none, they copy every user property into
//! two strings of its own, and what they write is cut at 65,535 bytes without a word, or, as a DISCONNECT with a reason,
//! a byte longer than it says. To check all of that around them would be to read each packet twice. They are the peer
//! instead: the tests have them write what is read here, and read what is written here.
//!
//! [`Decoder`] makes [`In`] of bytes or says what is [`Wrong`]; [`encode`] makes bytes of [`Out`]; [`PublishFrame`] is a
//! publication encoded once for many sessions.

mod connect;
mod control;
mod decoder;
mod frame;
mod incoming;
mod outgoing;
mod property;
mod reader;
mod reason;
mod subscribe;

pub use decoder::Decoder;
pub use frame::{Alias, Handed, PublishFrame, Told, append_publish};
pub use incoming::{
    Ack, Connect, Disconnect, In, Named, Publish, Retained, Subscribe, Unsubscribe, Wanted, Will,
};
pub use outgoing::{Acks, Answer, ConnAck, Out, Peer, encode};
pub use property::{Said, question_properties, said};
pub use reason::{Reason, Wrong};

/// The dialect a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// MQTT 3.1.
    V31,
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.0.
    V5,
}
