//! The envelope of what went well, written without a tree of values in between.

use crate::doors::http::Reply;
use crate::node::listing::{Listed, Slice};
use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// A field of an answer.
pub type Field<'a> = (&'static str, &'a dyn Shown);

/// Whatever can be written into an answer.
pub trait Shown {
    /// It as JSON.
    fn raw(&self) -> Box<RawValue>;
}

impl<T: Serialize> Shown for T {
    fn raw(&self) -> Box<RawValue> {
        to_raw_value(self).expect("what the wire shapes hold always makes JSON")
    }
}

/// 200 with these fields and `success: true`.
pub fn many(fields: &[Field<'_>]) -> Reply {
    let fields: Vec<Field<'_>> = fields.iter().copied().chain([("success", &true as &dyn Shown)]).collect();
    Reply::json(StatusCode::OK, &object(&fields))
}

/// 200 with the one field `key` and `success: true`.
pub fn one(key: &'static str, value: impl Serialize) -> Reply {
    many(&[(key, &value)])
}

/// 200 with nothing but `success: true`.
pub fn nothing() -> Reply {
    many(&[])
}

/// 200 with a page of a list under `key`, and where it lies in the whole.
pub fn page<T: Serialize>(key: &'static str, slice: Slice, listed: &Listed<T>) -> Reply {
    let count = listed.items.len();
    many(&[(key, &listed.items), ("count", &count), ("offset", &slice.offset), ("total", &listed.total)])
}

/// An object of these fields, in their order.
pub fn object(fields: &[Field<'_>]) -> Box<RawValue> {
    let mut text = String::from("{");
    for (place, (key, value)) in fields.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(key);
        text.push_str("\":");
        text.push_str(value.raw().get());
    }
    text.push('}');
    RawValue::from_string(text).expect("keys of the program and values of serde make JSON")
}
