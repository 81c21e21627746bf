//! One connection to a broker in packets, the same for MQTT 3.1.1 and 5.0. rumqttc writes and reads the packets; its event
//! loops are not used: they keep packet ids and what was not acknowledged to themselves, and a bridge keeps both in
//! its node.
//!
//! Nothing is lost when [`Wire::next`] is not waited for: what came in part and what was not written yet stay here.

mod v4;
mod v5;

use super::broker::Version;
use super::dial::Pipe;
use super::fault::Fault;
use crate::base::limits::MQTT_PACKET_BYTES_MAX;
use bytes::{Buf, Bytes, BytesMut};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a bridge introduces itself with.
pub(super) struct Introduction<'a> {
    pub client_id: &'a str,
    pub login: Option<(&'a str, &'a str)>,
    /// Whether the broker shall keep the session, and go on with the one it kept.
    pub stays: bool,
    pub keep_alive_seconds: u16,
    pub will: Option<Will<'a>>,
}

/// What the broker says, retained and at QoS 1, when the bridge is gone without a word.
pub(super) struct Will<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
}

/// What a bridge asks to hear.
pub(super) struct Subscription<'a> {
    pub filter: &'a str,
    pub at_least_once: bool,
}

/// A publication of the bridge's own, at QoS 1.
pub(super) struct Sent<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub packet: u16,
    /// Whether it may have been sent before.
    pub again: bool,
    pub retain: bool,
    /// Only 5.0 can carry them.
    pub properties: &'a [(&'static str, String)],
}

/// A publication of somebody.
#[derive(Clone, Debug, Default)]
pub(super) struct Publication {
    pub topic: String,
    pub payload: Bytes,
    /// `None` for QoS 0.
    pub packet: Option<u16>,
    pub redelivered: bool,
    pub retain: bool,
    pub properties: Vec<(String, String)>,
}

/// How the broker takes the bridge in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Welcome {
    /// Publications it takes before it has acknowledged the first.
    pub unacknowledged_max: u16,
    /// Bytes of a packet it takes.
    pub packet_bytes_max: usize,
    /// How often it wants to hear something, where it says so.
    pub keep_alive_seconds: Option<u16>,
}

/// What came from the broker.
#[derive(Debug)]
pub(super) enum Heard {
    Welcome(Welcome),
    /// Whether the subscription was granted.
    Granted(bool),
    Publication(Publication),
    /// A publication was taken, or why it was not.
    Acknowledged(u16, Result<(), String>),
    /// Nothing to act upon, but a sign of life.
    Alive,
}

/// A connection.
pub(super) struct Wire {
    pipe: Box<dyn Pipe>,
    version: Version,
    came: BytesMut,
    goes: BytesMut,
    is_flushed: bool,
}

/// Bytes read at once.
const CHUNK_BYTES: usize = 4_096;

impl Wire {
    pub fn new(pipe: Box<dyn Pipe>, version: Version) -> Self {
        Self { pipe, version, came: BytesMut::new(), goes: BytesMut::new(), is_flushed: true }
    }

    pub fn introduce(&mut self, introduction: &Introduction<'_>) {
        match self.version {
            Version::V4 => v4::introduce(introduction, &mut self.goes),
            Version::V5 => v5::introduce(introduction, &mut self.goes),
        }
    }

    pub fn subscribe(&mut self, packet: u16, subscription: &Subscription<'_>) {
        match self.version {
            Version::V4 => v4::subscribe(packet, subscription, &mut self.goes),
            Version::V5 => v5::subscribe(packet, subscription, &mut self.goes),
        }
    }

    pub fn publish(&mut self, sent: &Sent<'_>) {
        match self.version {
            Version::V4 => v4::publish(sent, &mut self.goes),
            Version::V5 => v5::publish(sent, &mut self.goes),
        }
    }

    pub fn acknowledge(&mut self, packet: u16) {
        match self.version {
            Version::V4 => v4::acknowledge(packet, &mut self.goes),
            Version::V5 => v5::acknowledge(packet, &mut self.goes),
        }
    }

    pub fn ping(&mut self) {
        self.goes.extend_from_slice(&[0xC0, 0]);
    }

    /// The end of a connection in both dialects: no will is said.
    pub fn take_leave(&mut self) {
        self.goes.extend_from_slice(&[0xE0, 0]);
    }

    /// Writes what waits, and gives the next packet; when it does not `hear`, it only writes and never ends well.
    pub async fn next(&mut self, hear: bool) -> Result<Heard, Fault> {
        poll_fn(|context| self.poll_next(context, hear)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>, hear: bool) -> Poll<Result<Heard, Fault>> {
        if let Err(fault) = self.poll_write(context) {
            return Poll::Ready(Err(fault));
        }
        if !hear {
            return Poll::Pending;
        }
        loop {
            match self.parse() {
                Ok(None) => {}
                Ok(Some(heard)) => return Poll::Ready(Ok(heard)),
                Err(fault) => return Poll::Ready(Err(fault)),
            }
            let mut chunk = [0; CHUNK_BYTES];
            let mut bytes = ReadBuf::new(&mut chunk);
            match Pin::new(&mut self.pipe).poll_read(context, &mut bytes) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !bytes.filled().is_empty() => {
                    self.came.extend_from_slice(bytes.filled());
                }
                Poll::Ready(_) => return Poll::Ready(Err(Fault::Closed)),
            }
        }
    }

    fn parse(&mut self) -> Result<Option<Heard>, Fault> {
        let parsed = match self.version {
            Version::V4 => v4::parse(&mut self.came),
            Version::V5 => v5::parse(&mut self.came),
        };
        if self.came.is_empty() && self.came.capacity() > CHUNK_BYTES {
            // A silent connection holds no buffer.
            self.came = BytesMut::new();
        }
        parsed
    }

    /// Writes as much as the socket takes.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<(), Fault> {
        while !self.goes.is_empty() {
            self.is_flushed = false;
            match Pin::new(&mut self.pipe).poll_write(context, &self.goes) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(written)) if written > 0 => self.goes.advance(written),
                Poll::Ready(_) => return Err(Fault::Closed),
            }
        }
        if !self.is_flushed {
            match Pin::new(&mut self.pipe).poll_flush(context) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.is_flushed = true,
                Poll::Ready(Err(_)) => return Err(Fault::Closed),
            }
        }
        Ok(())
    }
}

/// What the limit of a packet is for rumqttc's readers: it counts what follows the head.
const PACKET_BYTES_MAX: usize = MQTT_PACKET_BYTES_MAX;

const WRITES: &str = "a bridge's packets are within the protocol's bounds";

#[cfg(test)]
mod tests;
