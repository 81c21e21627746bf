//! Who and what a text names with `@` and `#`.

use crate::base::limits::MENTIONS_MAX;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::User;
use crate::node::Catalog;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Somebody named in a text.
pub enum Mentioned {
    /// A user.
    User(Arc<User>),
    /// Everyone in the room, or everyone who is there: `all` or `here`.
    Many(&'static str),
}

impl Serialize for Mentioned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Mentioned::User(user) => {
                map.serialize_entry("_id", user.id.as_str())?;
                map.serialize_entry("username", user.username.as_str())?;
                map.serialize_entry("name", user.name.as_str())?;
                map.serialize_entry("type", "user")?;
            }
            Mentioned::Many(word) => {
                map.serialize_entry("_id", word)?;
                map.serialize_entry("username", word)?;
            }
        }
        map.end()
    }
}

/// A room named in a text.
pub struct Channel(Arc<Room>);

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("_id", self.0.id.as_str())?;
        map.serialize_entry("name", self.0.label())?;
        map.end()
    }
}

/// Words after `mark`, each once, at most [`MENTIONS_MAX`].
fn words(text: &str, mark: char) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (at, _) in text.match_indices(mark) {
        let glued =
            text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == mark || c == '/');
        let rest = &text[at + mark.len_utf8()..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('.');
        if !glued && !word.is_empty() && !found.contains(&word) {
            found.push(word);
        }
        if found.len() == MENTIONS_MAX {
            break;
        }
    }
    found
}

/// The people named in a text.
pub fn people(text: &str, books: &dyn Catalog) -> Vec<Mentioned> {
    let known = |word: &str| match word {
        "all" => Some(Mentioned::Many("all")),
        "here" => Some(Mentioned::Many("here")),
        name => books.user_named(name).ok().flatten().map(Mentioned::User),
    };
    words(text, '@').into_iter().filter_map(known).collect()
}

/// The public rooms named in a text. Of others a reader may not learn that they exist.
pub fn channels(text: &str, books: &dyn Catalog) -> Vec<Channel> {
    let known = |name| books.room_named(name).ok().flatten().filter(|room| room.kind == RoomKind::Public);
    words(text, '#').into_iter().filter_map(known).map(Channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_people_write_them() {
        assert_eq!(words("@bob, see @alice.b. and (@carol)", '@'), ["bob", "alice.b", "carol"]);
        assert_eq!(words("mail bob@example.org @@x http://a/#b #garden-2!", '@'), [] as [&str; 0]);
        assert_eq!(words("http://a/#b #garden-2! #garden-2", '#'), ["garden-2"]);
        let many: String = (0..100).map(|number| format!("@u{number} ")).collect();
        assert_eq!(words(&many, '@').len(), MENTIONS_MAX);
    }
}
