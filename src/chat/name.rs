//! Names that appear in addresses: usernames, room and device names. Parsed once, carried as proof.

use crate::base::limits::{LINE_CHARS_MAX, NAME_CHARS_MAX, OPAQUE_BYTES_MAX, TEXT_CHARS_MAX};
use crate::chat::refusal::Refusal;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// Names that are routes of the node, so no room can have them.
pub const ROUTE_NAMES: [&str; 24] = [
    "api",
    "hooks",
    "mqtt",
    "health",
    "metrics",
    "assets",
    "avatar",
    "app",
    "websocket",
    "sockjs",
    "file-upload",
    "emoji-custom",
    "custom-sounds",
    "i18n",
    "favicon.ico",
    "robots.txt",
    "index.html",
    "livechat",
    "oauth",
    "own",
    "join",
    "login",
    "admin",
    "linnet",
];

/// A name of letters, digits, `-`, `_` and `.`: 1 to [`NAME_CHARS_MAX`] characters, compared without case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(SmolStr);

impl Name {
    /// Parses a name as Rocket.Chat's default rule `[0-9a-zA-Z-_.]+` does. `.` and `..` would break addresses.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let fine = !text.is_empty()
            && text.len() <= NAME_CHARS_MAX
            && text.chars().all(allowed)
            && text.chars().any(|c| c != '.');
        if fine {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(Refusal::NameInvalid(clip(text, NAME_CHARS_MAX)))
        }
    }

    /// Parses the name of a room: a [`Name`] that is none of the node's own routes.
    pub fn parse_room(text: &str) -> Result<Self, Refusal> {
        let name = Self::parse(text)?;
        if ROUTE_NAMES.contains(&name.folded().as_str()) {
            return Err(Refusal::NameReserved(name.0));
        }
        Ok(name)
    }

    /// A name fixed in the program's text.
    pub const fn fixed(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is compared: lower case.
    pub fn folded(&self) -> SmolStr {
        SmolStr::new(self.0.to_ascii_lowercase())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first `chars` characters of a text, for showing it back.
pub fn clip(text: &str, chars: usize) -> SmolStr {
    text.chars().take(chars).filter(|c| !c.is_control()).collect()
}

/// A single line of display text: trimmed, without control characters, at most [`LINE_CHARS_MAX`] characters.
pub fn line(text: &str) -> SmolStr {
    clip(text.trim(), LINE_CHARS_MAX)
}

/// The text of a message: at most [`TEXT_CHARS_MAX`] characters, no NUL.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(Box<str>);

impl Text {
    /// Parses a message's text. An empty text is allowed here: a message may consist of attachments.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains('\0') {
            return Err(Refusal::TextHasNul);
        }
        let too_long = text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX;
        if too_long { Err(Refusal::TextTooLong { max: TEXT_CHARS_MAX }) } else { Ok(Self(text.into())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing but white space was said.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// JSON of a client that linnet carries without looking inside; at most [`OPAQUE_BYTES_MAX`] bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opaque(Arc<[u8]>);

impl Opaque {
    /// Takes the bytes if they are few enough.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > OPAQUE_BYTES_MAX {
            return Err(Refusal::TooLarge { what: "attachments and custom fields", max: OPAQUE_BYTES_MAX });
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_break_addresses_are_refused() {
        for bad in ["", ".", "..", "a/b", "a b", "a\0b", "é", "#x", "@x", &"x".repeat(65)] {
            assert!(Name::parse(bad).is_err(), "{bad:?} passed");
        }
        for route in ["api", "API", "hooks", "mqtt", "Health"] {
            assert!(matches!(Name::parse_room(route), Err(Refusal::NameReserved(_))), "{route} passed");
        }
        assert_eq!(Name::parse_room("Garden-2.b_c").map(|name| name.folded()), Ok("garden-2.b_c".into()));
    }

    #[test]
    fn text_is_counted_in_characters() {
        assert!(Text::parse(&"é".repeat(TEXT_CHARS_MAX)).is_ok());
        assert!(Text::parse(&"é".repeat(TEXT_CHARS_MAX + 1)).is_err());
        assert!(Text::parse("a\0b").is_err());
    }
}
