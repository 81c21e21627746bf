//! Where a stream begins: `?since=` as ntfy's users write it.

use crate::base::id::{MessageId, Seq};
use crate::base::limits::STREAM_BACKLOG_MAX;
use crate::base::time::WallMs;
use crate::chat::policy::MayRead;
use crate::chat::refusal::Refusal;
use crate::node::history::Stretch;
use crate::node::{Books, Reading};

/// Where a stream begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Since {
    /// With what is said from now on.
    Now,
    /// With everything there is.
    All,
    /// With the newest message.
    Latest,
    /// After this place in the order.
    Seq(Seq),
    /// At this time.
    Time(WallMs),
    /// After this message.
    Message(MessageId),
}

/// What may be written.
pub const WANTED: &str =
    "since takes all, latest, none, a duration such as 10m, a Unix time, a message's id or seq";

/// Smaller numbers are a place in the order, larger ones a Unix time: there was no node in 2001.
const UNIX_TIME_MIN: u64 = 1_000_000_000;

impl Since {
    /// Reads what was written at a moment.
    pub fn parse(text: &str, now: WallMs) -> Option<Since> {
        match text {
            "" | "none" => Some(Since::Now),
            "all" => Some(Since::All),
            "latest" => Some(Since::Latest),
            text => match text.parse::<u64>() {
                Ok(seq) if seq < UNIX_TIME_MIN => Some(Since::Seq(Seq(seq))),
                Ok(seconds) => Some(Since::Time(seconds.saturating_mul(1_000))),
                Err(_) => match duration_ms(text) {
                    Some(ms) => Some(Since::Time(now.saturating_sub(ms))),
                    None => MessageId::parse(text).map(Since::Message),
                },
            },
        }
    }

    /// The place after which the stream tells, at most [`STREAM_BACKLOG_MAX`] messages before the newest.
    pub fn after(&self, reading: &Reading, permit: &MayRead, as_of: Seq) -> Result<Seq, Refusal> {
        let after = match self {
            Since::Now => return Ok(as_of),
            Since::All => Seq(0),
            Since::Latest => before(reading, permit, 0)?.unwrap_or(as_of),
            Since::Seq(seq) => *seq,
            Since::Time(at) => {
                let first = reading.messages_from(permit, *at, 1)?;
                first.first().map_or(as_of, |message| Seq(message.seq.0 - 1))
            }
            // A message that is not known here was said before everything that is, as ntfy has it.
            Since::Message(id) => {
                let known = reading.placed(id)?.filter(|(room, _)| room == permit.room());
                known.map_or(Seq(0), |(_, seq)| seq)
            }
        };
        let first = before(reading, permit, STREAM_BACKLOG_MAX as u64 - 1)?;
        Ok(after.max(first.unwrap_or_default()))
    }
}

/// The place before the message that has so many newer ones.
fn before(reading: &Reading, permit: &MayRead, newer: u64) -> Result<Option<Seq>, Refusal> {
    let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: newer, max: 1 };
    let page = reading.history(permit, stretch)?;
    Ok(page.messages.first().map(|message| Seq(message.seq.0 - 1)))
}

/// `10m`, `1h30m`, `3d`.
fn duration_ms(text: &str) -> Option<u64> {
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit_ms = match after.bytes().next()? {
            b's' => 1_000,
            b'm' => 60_000,
            b'h' => 3_600_000,
            b'd' => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit_ms)?)?;
        rest = &after[1..];
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_read_as_it_is_written() {
        const NOW: u64 = 1_767_225_600_000;
        let id = |text: &str| Since::Message(MessageId::parse(text).expect(text));
        for (text, since) in [
            ("", Since::Now),
            ("none", Since::Now),
            ("all", Since::All),
            ("latest", Since::Latest),
            ("0", Since::Seq(Seq(0))),
            ("4711", Since::Seq(Seq(4_711))),
            ("1767225600", Since::Time(NOW)),
            ("10m", Since::Time(NOW - 600_000)),
            ("1h30m", Since::Time(NOW - 5_400_000)),
            ("3d", Since::Time(NOW - 259_200_000)),
            ("90000d", Since::Time(0)),
            ("m", id("m")),
            ("10x", id("10x")),
            ("99999999999999999999d", id("99999999999999999999d")),
            ("2222223mAbCdEfGhJ", id("2222223mAbCdEfGhJ")),
        ] {
            assert_eq!(Since::parse(text, NOW), Some(since), "{text}");
        }
        for bad in ["a b", "ä", "a/b"] {
            assert_eq!(Since::parse(bad, NOW), None, "{bad}");
        }
    }
}
