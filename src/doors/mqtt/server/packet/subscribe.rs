//! Reads SUBSCRIBE and UNSUBSCRIBE, and the names in them.

use super::connect::qos;
use super::incoming::{Named, Retained, Subscribe, Unsubscribe, Wanted};
use super::property::{self, Value};
use super::reader::Reader;
use super::{Reason, Version, Wrong};
use crate::base::limits::{SUBSCRIPTIONS_MAX, TOPIC_BYTES_MAX};
use crate::chat::refusal::Refusal;
use crate::chat::topic::{Filter, Topic};
use smol_str::SmolStr;

const TOO_MANY: Wrong =
    Wrong::new(Reason::QUOTA_EXCEEDED, "one packet names more filters than a session may have");

/// Reads a SUBSCRIBE.
pub(super) fn subscribe(version: Version, from: &mut Reader<'_>) -> Result<Subscribe, Wrong> {
    let packet = from.packet()?;
    let mut id = None;
    if version == Version::V5 {
        property::each(from, &[property::SUBSCRIPTION_ID, property::USER], |property| {
            if let Value::Number(number) = property.value {
                id = Some(number);
            }
            Ok(())
        })?;
    }
    let mut filters = Vec::new();
    while !from.is_empty() {
        if filters.len() == SUBSCRIPTIONS_MAX {
            return Err(TOO_MANY);
        }
        let name = name(from.text()?)?;
        filters.push(wanted(version, name, from.one()?)?);
    }
    if filters.is_empty() {
        return Err(Wrong::protocol("SUBSCRIBE names no filter"));
    }
    Ok(Subscribe { packet, id, filters })
}

fn wanted(version: Version, name: Result<Named, Refusal>, options: u8) -> Result<Wanted, Wrong> {
    let reserved = if version == Version::V5 { 0xC0 } else { 0xFC };
    if options & reserved != 0 {
        return Err(Wrong::malformed("reserved bits of a subscription's options are set"));
    }
    let no_local = options & 0x04 != 0;
    if no_local && name.as_ref().is_ok_and(|name| name.share.is_some()) {
        return Err(Wrong::protocol("a shared subscription cannot leave out what its own client publishes"));
    }
    let retained = match options >> 4 & 3 {
        0 => Retained::Always,
        1 => Retained::IfNew,
        2 => Retained::Never,
        _ => return Err(Wrong::protocol("the retain handling of a subscription is 3: there are 0, 1 and 2")),
    };
    let retain_as_published = options & 0x08 != 0;
    Ok(Wanted { name, qos: qos(options & 3)?, no_local, retain_as_published, retained })
}

/// Reads an UNSUBSCRIBE.
pub(super) fn unsubscribe(version: Version, from: &mut Reader<'_>) -> Result<Unsubscribe, Wrong> {
    let packet = from.packet()?;
    if version == Version::V5 {
        property::pass_over(from, &[property::USER])?;
    }
    let mut filters = Vec::new();
    while !from.is_empty() {
        if filters.len() == SUBSCRIPTIONS_MAX {
            return Err(TOO_MANY);
        }
        filters.push(name(from.text()?)?);
    }
    if filters.is_empty() {
        return Err(Wrong::protocol("UNSUBSCRIBE names no filter"));
    }
    Ok(Unsubscribe { packet, filters })
}

/// The topic of a publication or a will.
pub(super) fn topic(text: &str) -> Result<Topic, Wrong> {
    Topic::parse(text).map_err(|refusal| {
        let words = match refusal {
            _ if text.is_empty() => "the topic name is empty",
            Refusal::Invalid { .. } => "the topic name has a wildcard: # and + are for filters",
            _ => "the topic name is longer, or has more levels, than this node takes",
        };
        Wrong::new(Reason::TOPIC_INVALID, words)
    })
}

/// A filter and its group. What is no filter is wrong; what is only too long is refused.
fn name(text: &str) -> Result<Result<Named, Refusal>, Wrong> {
    let invalid = |words| Err(Wrong::new(Reason::FILTER_INVALID, words));
    let (share, text) = match text.strip_prefix("$share/") {
        None if text == "$share" => {
            return invalid("a shared subscription needs a group and a filter: $share/GROUP/FILTER");
        }
        None => (None, text),
        Some(shared) => match shared.split_once('/') {
            Some((group, filter)) if !group.is_empty() && !group.contains(['+', '#']) => {
                (Some(group), filter)
            }
            _ => return invalid("a shared subscription needs a group without + and #: $share/GROUP/FILTER"),
        },
    };
    match Filter::parse(text) {
        Ok(_) if share.is_some_and(|group| group.len() > TOPIC_BYTES_MAX) => {
            Ok(Err(Refusal::TooLarge { what: "group of a shared subscription", max: TOPIC_BYTES_MAX }))
        }
        Ok(filter) => Ok(Ok(Named { share: share.map(SmolStr::new), filter })),
        Err(Refusal::Invalid { .. }) if text.is_empty() => invalid("a topic filter is empty"),
        Err(Refusal::Invalid { .. }) => {
            invalid("in a topic filter + and # stand alone between slashes, and # only at the end")
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}
