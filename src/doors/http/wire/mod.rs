//! Rocket.Chat's shapes, shared by REST and the realtime door, and known nowhere else in the program.
//!
//! What is said often is written straight from borrowed nouns; what is asked for rarely may be built as a value first.

pub mod attachment;
pub mod date;
pub mod draft;
pub mod extra;
mod md;
pub mod mention;
pub mod message;
pub mod room;
pub mod subscription;
pub mod user;

use crate::base::time::WallMs;
use date::Date;

/// How dates are written: the one difference between the two dialects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dates {
    /// REST: `"2024-05-01T12:00:00.000Z"`.
    Iso,
    /// Realtime: `{"$date":1714564800000}`.
    Ejson,
}

impl Dates {
    /// This moment, to be written in this form.
    pub fn date(self, ms: WallMs) -> Date {
        Date { ms, dates: self }
    }
}
