//! Who and what a text names with `@` and `#`, of the names that its tree has.

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

/// Those of these names whom somebody is called by.
pub fn people(names: &[String], books: &dyn Catalog) -> Vec<Mentioned> {
    let known = |word: &String| match word.as_str() {
        "all" => Some(Mentioned::Many("all")),
        "here" => Some(Mentioned::Many("here")),
        name => books.user_named(name).ok().flatten().map(Mentioned::User),
    };
    names.iter().filter_map(known).collect()
}

/// Those of these names that are public rooms'. Of others a reader may not learn that they exist.
pub fn channels(names: &[String], books: &dyn Catalog) -> Vec<Channel> {
    let known = |name: &String| books.room_named(name).ok().flatten();
    let open = names.iter().filter_map(known).filter(|room| room.kind == RoomKind::Public);
    open.map(Channel).collect()
}
