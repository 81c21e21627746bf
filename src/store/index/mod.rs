//! The index: where each message lies, and the nouns as they are now. It follows the journal and can always be
//! rebuilt from it. Only `sled.rs` here names the database.

pub mod apply;
pub mod catalog;
pub mod counts;
pub mod heard;
pub mod history;
pub mod kv;
pub mod layer;
pub mod live;
pub mod memory;
pub mod moved;
pub mod settled;
pub mod sled;
pub mod times;
pub mod topics;
