//! Reads CONNECT.

use super::incoming::{Connect, Will};
use super::property::{self, Value};
use super::reader::Reader;
use super::subscribe::topic;
use super::{Reason, Version, Wrong};
use crate::base::limits::PUBLICATION_PROPERTIES_BYTES_MAX;
use crate::chat::publication::Qos;
use smol_str::SmolStr;

const RESERVED: u8 = 0x01;
const CLEAN: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

/// The version a CONNECT asks for. `Err` has, beside what is wrong, the version in which to say so.
/// And whether it is a bridge: Mosquitto's say so by a bit of the version before they try without.
pub(super) fn version(from: &mut Reader<'_>) -> Result<(Version, bool), (Wrong, Option<Version>)> {
    let name = from.text().map_err(|wrong| (wrong, None))?;
    let words = "the protocol is neither MQTT 3.1, 3.1.1 nor 5.0";
    let unknown = Wrong::new(Reason::VERSION_UNSUPPORTED, words);
    if !matches!(name, "MQTT" | "MQIsdp") {
        return Err((unknown, None));
    }
    match (name, from.one().map_err(|wrong| (wrong, None))?) {
        ("MQIsdp", 3) => Ok((Version::V31, false)),
        ("MQIsdp", 0x83) => Ok((Version::V31, true)),
        ("MQTT", 4) => Ok((Version::V311, false)),
        ("MQTT", 0x84) => Ok((Version::V311, true)),
        ("MQTT", 5) => Ok((Version::V5, false)),
        ("MQTT", 6..0x80) => Err((unknown, Some(Version::V5))),
        _ => Err((unknown, Some(Version::V311))),
    }
}

/// Reads what is behind the version.
pub(super) fn read(version: Version, from: &mut Reader<'_>) -> Result<Connect, Wrong> {
    let flags = from.one()?;
    check_flags(version, flags)?;
    let mut connect = plain(version, flags, from.two()?);
    if version == Version::V5 {
        read_properties(from, &mut connect)?;
    }
    connect.client = SmolStr::new(from.text()?);
    if connect.client.is_empty() && (version == Version::V31 || (version == Version::V311 && !connect.clean))
    {
        let words = "a client without an id cannot keep a session: give it an id, or a clean session";
        return Err(Wrong::new(Reason::CLIENT_ID_INVALID, words));
    }
    if flags & WILL != 0 {
        connect.will = Some(read_will(version, flags, from)?);
    }
    if flags & USER != 0 {
        connect.user = Some(SmolStr::new(from.text()?));
    }
    if flags & PASSWORD != 0 {
        connect.password = Some(from.binary()?.into());
    }
    from.end()?;
    Ok(connect)
}

fn check_flags(version: Version, flags: u8) -> Result<(), Wrong> {
    if flags & RESERVED != 0 && version != Version::V31 {
        return Err(Wrong::malformed("the reserved bit of CONNECT's flags is set"));
    }
    if flags & WILL == 0 && flags & (WILL_RETAIN | 0x18) != 0 {
        return Err(Wrong::malformed("CONNECT has flags of a will and no will"));
    }
    if version != Version::V5 && flags & (USER | PASSWORD) == PASSWORD {
        return Err(Wrong::malformed("CONNECT has a password and no user name, which only MQTT 5.0 allows"));
    }
    Ok(())
}

/// A CONNECT that says nothing but this.
fn plain(version: Version, flags: u8, keep_alive_s: u16) -> Connect {
    let clean = flags & CLEAN != 0;
    Connect {
        version,
        is_bridge: false,
        client: SmolStr::default(),
        clean,
        keep_alive_s,
        user: None,
        password: None,
        will: None,
        expiry_s: if version == Version::V5 || clean { 0 } else { u32::MAX },
        receive_max: u16::MAX,
        packet_bytes_max: None,
        aliases_max: 0,
        wants_response_information: false,
        wants_problem_information: true,
        authentication: None,
    }
}

const PROPERTIES: [u8; 9] = [
    property::SESSION_EXPIRY,
    property::RECEIVE_MAXIMUM,
    property::PACKET_MAXIMUM,
    property::ALIAS_MAXIMUM,
    property::REQUEST_RESPONSE,
    property::REQUEST_PROBLEM,
    property::USER,
    property::AUTHENTICATION_METHOD,
    property::AUTHENTICATION_DATA,
];

fn read_properties(from: &mut Reader<'_>, connect: &mut Connect) -> Result<(), Wrong> {
    let mut has_data = false;
    property::each(from, &PROPERTIES, |property| {
        match (property.id, property.value) {
            (property::SESSION_EXPIRY, Value::Number(seconds)) => connect.expiry_s = seconds,
            // It was written in two bytes.
            (property::RECEIVE_MAXIMUM, Value::Number(count)) => connect.receive_max = count as u16,
            (property::PACKET_MAXIMUM, Value::Number(bytes)) => connect.packet_bytes_max = Some(bytes),
            (property::ALIAS_MAXIMUM, Value::Number(highest)) => connect.aliases_max = highest as u16,
            (property::REQUEST_RESPONSE, value) => {
                connect.wants_response_information = value == Value::Number(1)
            }
            (property::REQUEST_PROBLEM, value) => {
                connect.wants_problem_information = value == Value::Number(1)
            }
            (property::AUTHENTICATION_METHOD, Value::Text(method)) => {
                connect.authentication = Some(SmolStr::new(method));
            }
            (property::AUTHENTICATION_DATA, _) => has_data = true,
            _ => {}
        }
        Ok(())
    })?;
    if has_data && connect.authentication.is_none() {
        return Err(Wrong::protocol("there is authentication data and no authentication method"));
    }
    Ok(())
}

const WILL_PROPERTIES: [u8; 7] = [
    property::WILL_DELAY,
    property::PAYLOAD_FORMAT,
    property::MESSAGE_EXPIRY,
    property::CONTENT_TYPE,
    property::RESPONSE_TOPIC,
    property::CORRELATION,
    property::USER,
];

fn read_will(version: Version, flags: u8, from: &mut Reader<'_>) -> Result<Will, Wrong> {
    let (mut delay_s, mut expiry_s, mut kept) = (0, None, Vec::new());
    if version == Version::V5 {
        property::each(from, &WILL_PROPERTIES, |property| {
            match (property.id, property.value) {
                (property::WILL_DELAY, Value::Number(seconds)) => delay_s = seconds,
                (property::MESSAGE_EXPIRY, Value::Number(seconds)) => expiry_s = Some(seconds),
                _ => kept.extend_from_slice(property.written),
            }
            Ok(())
        })?;
    }
    let topic = topic(from.text()?)?;
    let payload = from.binary()?.into();
    let qos = qos(flags >> 3 & 3)?;
    Ok(Will {
        topic,
        payload,
        qos,
        retain: flags & WILL_RETAIN != 0,
        delay_s,
        expiry_s,
        properties: keep(kept)?,
    })
}

/// What a publisher said, if it said anything.
pub(super) fn keep(properties: Vec<u8>) -> Result<Option<Box<[u8]>>, Wrong> {
    const { assert!(PUBLICATION_PROPERTIES_BYTES_MAX == 8 * 1024, "the words below say so") };
    if properties.len() > PUBLICATION_PROPERTIES_BYTES_MAX {
        let words = "the properties of a publication are longer than this node keeps: 8 KiB";
        return Err(Wrong::new(Reason::QUOTA_EXCEEDED, words));
    }
    Ok((!properties.is_empty()).then(|| properties.into()))
}

/// A QoS of two bits.
pub(super) fn qos(bits: u8) -> Result<Qos, Wrong> {
    match bits {
        0 => Ok(Qos::Most),
        1 => Ok(Qos::Least),
        2 => Ok(Qos::Exactly),
        _ => Err(Wrong::malformed("the QoS is 3: there are 0, 1 and 2")),
    }
}
