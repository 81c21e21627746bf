//! Publications read from the journal, for sessions that were away.

use crate::base::id::Seq;
use crate::base::limits::TOPIC_PAGE_BYTES_MAX;
use crate::chat::change::{Change, What};
use crate::chat::refusal::Refusal;
use crate::node::{Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::journal::Pos;
use crate::store::record;
use std::sync::Arc;

/// Some of what was published.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The publications, in order.
    pub found: Vec<Arc<Change>>,
    /// Everything up to this place was looked at.
    pub reached: Seq,
}

impl Reading {
    /// What was published after a place and up to another, as far as it is kept: at most `scan_max` Changes are looked at,
    /// and some of [`TOPIC_PAGE_BYTES_MAX`] found. Go on at [`Page::reached`] until it is `upto`.
    pub fn publications_after(&self, after: Seq, upto: Seq, scan_max: usize) -> Result<Page, Refusal> {
        let upto = upto.min(self.newest());
        loop {
            match self.walk_publications(after, upto, scan_max.max(1)) {
                // It lies elsewhere now, and the waymark leads there or at least before it.
                Err(StoreError::Condensed) => {}
                page => return page.map_err(refuse),
            }
        }
    }

    fn walk_publications(&self, after: Seq, upto: Seq, scan_max: usize) -> Result<Page, StoreError> {
        let mut page = Page { found: Vec::new(), reached: after };
        if after >= upto {
            return Ok(page);
        }
        let from = self.waymark(after.next())?.map_or(Pos::default(), |(_, pos)| pos);
        let (mut looked, mut bytes) = (0, 0);
        for frame in self.journal.scan(from, self.settled.reached().end) {
            let frame = match frame {
                Ok((_, frame)) => frame,
                // It was reported at the start; more may lie behind it.
                Err(StoreError::Damaged(_)) => continue,
                Err(error) => return Err(error),
            };
            if frame.seq <= after.0 {
                continue;
            }
            if frame.seq > upto.0 {
                break;
            }
            if looked >= scan_max || bytes >= TOPIC_PAGE_BYTES_MAX {
                return Ok(page);
            }
            (looked, page.reached) = (looked + 1, Seq(frame.seq));
            if record::change::is_published(&frame.payload) {
                let change = record::change::decode(Seq(frame.seq), &frame.payload)?;
                if let What::Published { publication, .. } = &change.what {
                    bytes += publication.payload.len();
                    page.found.push(Arc::new(change));
                }
            }
        }
        page.reached = upto;
        Ok(page)
    }
}
