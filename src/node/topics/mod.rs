//! Topics: what is published is kept where a session or the state of a topic needs it, and sessions outlive their
//! connections.

pub mod asking;
pub mod bound;
mod groups;
pub mod page;
pub mod publish;
pub mod retained;
pub mod rounds;
pub mod sessions;
pub mod subscriptions;
pub mod wills;

pub use asking::{Asking, Worded, Wording};
pub use bound::{Bound, Came};
pub use page::Page;
pub use retained::RetainedPage;
pub use rounds::Lag;
pub use sessions::Opened;

use crate::base::limits::TOPIC_CLIENT_BYTES_MAX;
use crate::chat::refusal::Refusal;

/// A name that stands in keys: a client's id, or that of a group that shares a subscription.
fn well_formed(what: &'static str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.contains('\0') {
        return Err(Refusal::Invalid { what, want: "at least one character and no NUL" });
    }
    if name.len() > TOPIC_CLIENT_BYTES_MAX {
        return Err(Refusal::TooLarge { what, max: TOPIC_CLIENT_BYTES_MAX });
    }
    Ok(())
}
