//! Dates on the wire: UTC, to the millisecond.

use super::Dates;
pub use crate::base::date::{iso, parse};
use crate::base::time::WallMs;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A moment and how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    /// Milliseconds since 1970.
    pub ms: WallMs,
    /// How it is written.
    pub dates: Dates,
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.dates {
            Dates::Iso => serializer.serialize_str(&iso(self.ms)),
            Dates::Ejson => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$date", &self.ms)?;
                map.end()
            }
        }
    }
}
