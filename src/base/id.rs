//! Ids: short strings that clients can carry in addresses, minted from a [`World`].

use super::limits::ID_BYTES_MAX;
use super::world::World;
use smol_str::SmolStr;
use std::fmt;

/// No lookalikes: ids are read aloud and typed by people. The alphabet Rocket.Chat's clients expect.
const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";
/// Characters of a minted id, as Rocket.Chat's clients expect.
const MINTED_CHARS: usize = 17;
/// Leading characters of a minted message id that carry its journal sequence: 55^8 is above 10^13.
const SEQ_CHARS: usize = 8;

/// Whether a text may serve as an id: 1 to [`ID_BYTES_MAX`] bytes of printable ASCII without space, slash, quotes or backslash.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'"' | b'\\' | b'\''))
}

/// A random text of `chars` characters out of the id alphabet.
pub fn random_text(world: &dyn World, chars: usize) -> String {
    let mut text = String::with_capacity(chars);
    let mut bytes = [0u8; 32];
    while text.len() < chars {
        world.fill(&mut bytes);
        // Bytes of 220 and above would make the first letters likelier: 220 = 4 * 55.
        let fair = bytes.iter().filter(|byte| **byte < 220).map(|byte| ALPHABET[*byte as usize % 55] as char);
        text.extend(fair.take(chars - text.len()));
    }
    text
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(SmolStr);

        impl $name {
            /// The id in a text from outside, if [`is_id`] allows it.
            pub fn parse(text: &str) -> Option<Self> {
                is_id(text).then(|| Self(SmolStr::new(text)))
            }

            /// A new random id of 17 characters.
            pub fn mint(world: &dyn World) -> Self {
                Self(SmolStr::new(random_text(world, MINTED_CHARS)))
            }

            /// An id fixed in the program's text, such as `GENERAL`.
            pub const fn fixed(text: &'static str) -> Self {
                Self(SmolStr::new_static(text))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type!(
    /// Who: a person, a bot, a guest or a device.
    UserId
);
id_type!(
    /// Where: a room.
    RoomId
);
id_type!(
    /// What was said.
    MessageId
);

impl MessageId {
    /// Bytes of a minted message id after those that carry its sequence.
    pub const REST_BYTES: usize = MINTED_CHARS - SEQ_CHARS;

    /// A new id that carries the journal sequence of its message, so that it needs no key in the index.
    pub fn mint_at(seq: Seq, world: &dyn World) -> Self {
        Self::minted(seq, &random_text(world, Self::REST_BYTES)).expect("the alphabet is fit for ids")
    }

    /// The id minted at this sequence with this random rest, if together they make one.
    pub fn minted(seq: Seq, rest: &str) -> Option<Self> {
        if rest.len() != Self::REST_BYTES || !is_id(rest) {
            return None;
        }
        let mut text = [0u8; MINTED_CHARS];
        text[..SEQ_CHARS].copy_from_slice(&seq_chars(seq));
        text[SEQ_CHARS..].copy_from_slice(rest.as_bytes());
        Some(Self(SmolStr::new(std::str::from_utf8(&text).expect("alphabet and ids are ASCII"))))
    }

    /// The random rest of an id minted at this sequence; `None` for every other id.
    pub fn rest_after(&self, seq: Seq) -> Option<&str> {
        let fits = self.0.len() == MINTED_CHARS && self.0.as_bytes().starts_with(&seq_chars(seq));
        fits.then(|| &self.0[SEQ_CHARS..])
    }

    /// The sequence this id would carry if this node minted it. A client's own id can look the same: compare the message found.
    pub fn minted_seq(&self) -> Option<Seq> {
        let bytes = self.0.as_bytes();
        if bytes.len() != MINTED_CHARS {
            return None;
        }
        bytes[..SEQ_CHARS]
            .iter()
            .try_fold(0u64, |seq, byte| {
                let digit = ALPHABET.iter().position(|letter| letter == byte)?;
                Some(seq * 55 + digit as u64)
            })
            .map(Seq)
    }
}

fn seq_chars(seq: Seq) -> [u8; SEQ_CHARS] {
    let mut chars = [0u8; SEQ_CHARS];
    let mut rest = seq.0;
    for slot in chars.iter_mut().rev() {
        *slot = ALPHABET[(rest % 55) as usize];
        rest /= 55;
    }
    chars
}

/// A place in the journal's order, counted from 1. Order is the sequence, never the clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The place after this one.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;

    #[test]
    fn a_minted_message_id_carries_its_sequence() {
        let world = SimWorld::new(7);
        for seq in [0, 1, 54, 55, 1_000_000, 83_733_937_890_624] {
            let id = MessageId::mint_at(Seq(seq), &world);
            assert_eq!(id.as_str().len(), 17);
            assert_eq!(id.minted_seq(), Some(Seq(seq)));
            let rest = id.rest_after(Seq(seq)).expect("it was minted there");
            assert_eq!(MessageId::minted(Seq(seq), rest), Some(id.clone()));
            assert_eq!(id.rest_after(Seq(seq + 1)), None);
        }
        assert_eq!(MessageId::parse("client-chosen").and_then(|id| id.minted_seq()), None);
    }

    #[test]
    fn what_would_break_an_address_is_no_id() {
        for bad in ["", "a b", "a/b", "a\"b", "a\\b", "\u{0}", "é", &"x".repeat(ID_BYTES_MAX + 1)] {
            assert!(RoomId::parse(bad).is_none(), "{bad:?} passed");
        }
        assert!(RoomId::parse("GENERAL").is_some());
        assert!(UserId::parse("rocketchat.internal.admin.test").is_some());
    }
}
