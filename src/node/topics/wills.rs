//! Last wills, kept so that a client whose connection a fall of the power ended is not taken for one that lives.
//!
//! A will is kept from CONNECT on where it would be kept once published: one that says how a topic stands, or that is to
//! arrive for sure. It is gone with the word of a client that goes, and with its publication, in one group with that. What
//! is found at a start belongs to a client that was connected when the power fell, or whose will waited.

use crate::base::limits::WILLS_MAX;
use crate::chat::change::What;
use crate::chat::publication::{LastWill, Qos};
use crate::chat::refusal::Refusal;
use crate::node::books::Books;
use crate::node::caller::Caller;
use crate::node::{Node, Reading, refuse};
use crate::store::index::topics::Topics;
use std::sync::Arc;

/// Whether a will is worth a write: one that is retained, or for sure.
pub fn is_kept(will: &LastWill) -> bool {
    will.publication.retain || will.publication.qos != Qos::Most
}

impl Node {
    /// A client has this will from now on, or has gone and it waits.
    pub fn set_will(&mut self, caller: &Caller, will: LastWill) -> Result<(), Refusal> {
        self.actor(caller)?;
        let is_known = self.will(&will.publication.client).map_err(refuse)?.is_some();
        if !is_known && self.wills().map_err(refuse)?.len() >= WILLS_MAX {
            return Err(Refusal::TooMany { what: "last wills", max: WILLS_MAX });
        }
        self.append(What::WillSet(Arc::new(will))).map(drop)
    }

    /// A client has no will any more.
    pub fn drop_will(&mut self, client: &str) -> Result<(), Refusal> {
        if self.will(client).map_err(refuse)?.is_some() {
            self.append(What::WillGone { client: client.into() })?;
        }
        Ok(())
    }
}

impl Reading {
    /// Whether a will of this client is kept.
    pub fn has_will(&self, client: &str) -> Result<bool, Refusal> {
        Ok(self.will(client).map_err(refuse)?.is_some())
    }

    /// The wills that were kept, each with the milliseconds for which it has waited, as far as that is known.
    pub fn wills_kept(&self) -> Result<Vec<(LastWill, u64)>, Refusal> {
        let (now, mut found) = (self.now(), Vec::new());
        for seq in self.wills().map_err(refuse)? {
            let Some(change) = self.change_of(seq).map_err(refuse)? else { continue };
            let What::WillSet(will) = &change.what else { continue };
            let at = change.origin.moment;
            let waited_ms = match (will.waits, at.boot == now.boot) {
                // Its client is gone since the power fell, which nobody has seen.
                (false, _) => 0,
                (true, true) => now.mono_ms.saturating_sub(at.mono_ms),
                (true, false) if at.trusted && now.trusted => now.wall_ms.saturating_sub(at.wall_ms),
                (true, false) => 0,
            };
            found.push((LastWill::clone(will), waited_ms));
        }
        Ok(found)
    }
}
