//! The value of a setting as bytes; its name is its key.

use crate::store::record::{RecordError, form};
use smol_str::SmolStr;

/// The layout written today.
pub(super) const VERSION: u8 = 1;

/// Appends a setting's value, which is JSON text.
pub fn encode(value: &str, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &value, out)
}

/// The JSON text in a value.
pub fn decode(bytes: &[u8]) -> Result<SmolStr, RecordError> {
    form::decode::<&str>(VERSION, bytes).map(SmolStr::new)
}
