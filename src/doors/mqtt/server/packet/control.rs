//! Reads PUBLISH and the small packets.

use super::connect::{keep, qos};
use super::incoming::{Ack, Disconnect, Publish};
use super::property::{self, Value};
use super::reader::Reader;
use super::subscribe::topic;
use super::{Reason, Version, Wrong};
use crate::base::limits::PUBLICATION_BYTES_MAX;
use crate::chat::publication::Qos;

const PUBLISH: [u8; 7] = [
    property::PAYLOAD_FORMAT,
    property::MESSAGE_EXPIRY,
    property::ALIAS,
    property::RESPONSE_TOPIC,
    property::CORRELATION,
    property::USER,
    property::CONTENT_TYPE,
];

/// Reads a PUBLISH; `flags` are the lower four bits of its first byte.
pub(super) fn publish(version: Version, flags: u8, from: &mut Reader<'_>) -> Result<Publish, Wrong> {
    let qos = qos(flags >> 1 & 3)?;
    let dup = flags & 8 != 0;
    if dup && qos == Qos::Most {
        return Err(Wrong::malformed("a PUBLISH of QoS 0 says that it may have come before"));
    }
    let name = from.text()?;
    let packet = if qos == Qos::Most { None } else { Some(from.packet()?) };
    let (mut alias, mut expiry_s, mut kept) = (None, None, Vec::new());
    if version == Version::V5 {
        property::each(from, &PUBLISH, |property| {
            match (property.id, property.value) {
                (property::ALIAS, Value::Number(0)) => {
                    return Err(Wrong::new(Reason::ALIAS_INVALID, "the topic alias is 0: they begin at 1"));
                }
                // It was written in two bytes.
                (property::ALIAS, Value::Number(number)) => alias = Some(number as u16),
                (property::MESSAGE_EXPIRY, Value::Number(seconds)) => expiry_s = Some(seconds),
                _ => kept.extend_from_slice(property.written),
            }
            Ok(())
        })?;
    }
    let topic = if name.is_empty() && alias.is_some() { None } else { Some(topic(name)?) };
    let payload = from.rest();
    const { assert!(PUBLICATION_BYTES_MAX == 256 * 1024, "the words below say so") };
    if payload.len() > PUBLICATION_BYTES_MAX {
        return Err(Wrong::new(
            Reason::PACKET_TOO_LARGE,
            "the payload is longer than this node takes: 256 KiB",
        ));
    }
    let retain = flags & 1 != 0;
    Ok(Publish {
        dup,
        qos,
        retain,
        topic,
        packet,
        alias,
        expiry_s,
        properties: keep(kept)?,
        payload: payload.into(),
    })
}

/// Reasons of PUBACK and PUBREC.
pub(super) const TAKEN: [u8; 9] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
/// Reasons of PUBREL and PUBCOMP.
pub(super) const RELEASED: [u8; 2] = [0x00, 0x92];
const GOING: [u8; 14] = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
const AUTHENTICATING: [u8; 3] = [0x00, 0x18, 0x19];

/// Reads PUBACK and its like, whose reason is one of these.
pub(super) fn ack(version: Version, reasons: &[u8], from: &mut Reader<'_>) -> Result<Ack, Wrong> {
    let packet = from.packet()?;
    let mut reason = Reason::SUCCESS;
    if version == Version::V5 {
        reason = reason_of(reasons, from)?;
        if !from.is_empty() {
            property::pass_over(from, &[property::REASON_STRING, property::USER])?;
        }
    }
    from.end()?;
    Ok(Ack { packet, reason })
}

/// Reads a DISCONNECT.
pub(super) fn disconnect(version: Version, from: &mut Reader<'_>) -> Result<Disconnect, Wrong> {
    let (mut reason, mut expiry_s) = (Reason::SUCCESS, None);
    if version == Version::V5 {
        reason = reason_of(&GOING, from)?;
        if !from.is_empty() {
            let allowed = [property::SESSION_EXPIRY, property::REASON_STRING, property::USER];
            property::each(from, &allowed, |property| {
                if let Value::Number(seconds) = property.value {
                    expiry_s = Some(seconds);
                }
                Ok(())
            })?;
        }
    }
    from.end()?;
    Ok(Disconnect { reason, expiry_s })
}

/// Reads an AUTH.
pub(super) fn auth(from: &mut Reader<'_>) -> Result<Reason, Wrong> {
    let reason = reason_of(&AUTHENTICATING, from)?;
    if !from.is_empty() {
        let allowed = [
            property::AUTHENTICATION_METHOD,
            property::AUTHENTICATION_DATA,
            property::REASON_STRING,
            property::USER,
        ];
        property::pass_over(from, &allowed)?;
    }
    from.end()?;
    Ok(reason)
}

/// A reason code, which may be left out at the end of a packet.
fn reason_of(allowed: &[u8], from: &mut Reader<'_>) -> Result<Reason, Wrong> {
    if from.is_empty() {
        return Ok(Reason::SUCCESS);
    }
    match from.one()? {
        code if allowed.contains(&code) => Ok(Reason(code)),
        _ => Err(Wrong::malformed("the reason code is none of its packet's")),
    }
}
