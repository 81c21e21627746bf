//! Properties of 5.0: which there are, what they look like, and a walk over them that keeps nothing.

use super::Wrong;
use super::reader::Reader;

pub(super) const PAYLOAD_FORMAT: u8 = 1;
pub(super) const MESSAGE_EXPIRY: u8 = 2;
pub(super) const CONTENT_TYPE: u8 = 3;
pub(super) const RESPONSE_TOPIC: u8 = 8;
pub(super) const CORRELATION: u8 = 9;
pub(super) const SUBSCRIPTION_ID: u8 = 11;
pub(super) const SESSION_EXPIRY: u8 = 17;
pub(super) const ASSIGNED_CLIENT: u8 = 18;
pub(super) const SERVER_KEEP_ALIVE: u8 = 19;
pub(super) const AUTHENTICATION_METHOD: u8 = 21;
pub(super) const AUTHENTICATION_DATA: u8 = 22;
pub(super) const REQUEST_PROBLEM: u8 = 23;
pub(super) const WILL_DELAY: u8 = 24;
pub(super) const REQUEST_RESPONSE: u8 = 25;
pub(super) const REASON_STRING: u8 = 31;
pub(super) const RECEIVE_MAXIMUM: u8 = 33;
pub(super) const ALIAS_MAXIMUM: u8 = 34;
pub(super) const ALIAS: u8 = 35;
pub(super) const USER: u8 = 38;
pub(super) const PACKET_MAXIMUM: u8 = 39;

/// What a property holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Number(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
}

/// One property, and the bytes it was written in.
pub(super) struct Property<'a> {
    pub id: u8,
    pub value: Value<'a>,
    pub written: &'a [u8],
}

/// Reads a length and the properties in it, each of which must be one of `allowed` and, but for user properties, the only
/// one of its kind.
pub(super) fn each<'a>(
    from: &mut Reader<'a>,
    allowed: &[u8],
    mut tell: impl FnMut(Property<'a>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let bytes = from.variable()? as usize;
    if bytes > from.left().len() {
        return Err(Wrong::malformed("the properties reach beyond the packet"));
    }
    let mut within = Reader::new(from.take(bytes)?);
    let mut seen = 0_u64;
    while !within.is_empty() {
        let property = next(&mut within)?;
        if !allowed.contains(&property.id) {
            return Err(Wrong::malformed("a property does not belong to its packet"));
        }
        let bit = 1 << property.id;
        if seen & bit != 0 && property.id != USER {
            return Err(Wrong::protocol("a property is there twice"));
        }
        seen |= bit;
        tell(property)?;
    }
    Ok(())
}

/// Reads properties of which nothing is kept.
pub(super) fn pass_over(from: &mut Reader<'_>, allowed: &[u8]) -> Result<(), Wrong> {
    each(from, allowed, |_| Ok(()))
}

fn next<'a>(from: &mut Reader<'a>) -> Result<Property<'a>, Wrong> {
    let before = from.left();
    let id = from.one()?;
    let value = match id {
        PAYLOAD_FORMAT | REQUEST_PROBLEM | REQUEST_RESPONSE => match from.one()? {
            flag @ (0 | 1) => Value::Number(u32::from(flag)),
            _ => return Err(Wrong::protocol("a property that is 0 or 1 has another value")),
        },
        SERVER_KEEP_ALIVE | RECEIVE_MAXIMUM | ALIAS_MAXIMUM | ALIAS => Value::Number(u32::from(from.two()?)),
        MESSAGE_EXPIRY | SESSION_EXPIRY | WILL_DELAY | PACKET_MAXIMUM => Value::Number(from.four()?),
        SUBSCRIPTION_ID => Value::Number(from.variable()?),
        CONTENT_TYPE | RESPONSE_TOPIC | ASSIGNED_CLIENT | AUTHENTICATION_METHOD | REASON_STRING => {
            Value::Text(from.text()?)
        }
        CORRELATION | AUTHENTICATION_DATA => Value::Binary(from.binary()?),
        USER => Value::Pair(from.text()?, from.text()?),
        _ => return Err(Wrong::malformed("a property is unknown, or only a server's")),
    };
    let written = &before[..before.len() - from.left().len()];
    let wild = |topic: &str| topic.is_empty() || topic.contains(['+', '#']);
    match (id, value) {
        (RECEIVE_MAXIMUM | PACKET_MAXIMUM | SUBSCRIPTION_ID, Value::Number(0)) => {
            Err(Wrong::protocol("a maximum or an identifier is 0: leave it out instead"))
        }
        (RESPONSE_TOPIC, Value::Text(topic)) if wild(topic) => {
            Err(Wrong::protocol("the response topic is empty or has a wildcard: # and + are for filters"))
        }
        _ => Ok(Property { id, value, written }),
    }
}

/// What a question says beside its payload, as [`Publish::properties`](super::Publish::properties) keeps it: that it is
/// text, where the answer is expected, and what that is to carry.
pub fn question_properties(response: &str, correlation: &str) -> Box<[u8]> {
    let mut out = vec![PAYLOAD_FORMAT, 1];
    for (id, text) in [(RESPONSE_TOPIC, response), (CORRELATION, correlation)] {
        // Topics and ids are far shorter than the longest there can be.
        let length = u16::try_from(text.len()).expect("a topic's and an id's lengths are bounded");
        out.push(id);
        out.extend(length.to_be_bytes());
        out.extend(text.as_bytes());
    }
    out.into()
}

/// What a publisher may say of a publication beside its payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said<'a> {
    /// Whether the payload is text.
    IsText(bool),
    /// What kind of thing the payload is.
    ContentType(&'a str),
    /// Where an answer is expected.
    ResponseTopic(&'a str),
    /// What the answer is to carry.
    Correlation(&'a [u8]),
    /// Anything, with its name.
    User(&'a str, &'a str),
}

/// Reads what [`Publish::properties`](super::Publish::properties) keeps; ends early at what is none of it.
pub fn said(properties: &[u8]) -> impl Iterator<Item = Said<'_>> {
    let mut from = Reader::new(properties);
    std::iter::from_fn(move || {
        let property = next(&mut from).ok()?;
        match (property.id, property.value) {
            (PAYLOAD_FORMAT, Value::Number(flag)) => Some(Said::IsText(flag == 1)),
            (CONTENT_TYPE, Value::Text(text)) => Some(Said::ContentType(text)),
            (RESPONSE_TOPIC, Value::Text(text)) => Some(Said::ResponseTopic(text)),
            (CORRELATION, Value::Binary(bytes)) => Some(Said::Correlation(bytes)),
            (USER, Value::Pair(name, value)) => Some(Said::User(name, value)),
            _ => None,
        }
    })
}
