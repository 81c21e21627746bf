//! Retained publications: the state of topics.

use crate::base::id::Seq;
use crate::base::limits::{PAGE_ENTRIES_MAX, SCAN_ENTRIES_MAX, TOPIC_PAGE_BYTES_MAX};
use crate::base::time::Moment;
use crate::chat::change::{Change, What};
use crate::chat::policy::MaySubscribe;
use crate::chat::publication::Publication;
use crate::chat::question::is_between;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;
use crate::node::books::Books;
use crate::node::{Reading, refuse};
use crate::store::index::topics::Topics;
use crate::store::journal::Pos;
use std::sync::Arc;

/// A page of retained publications.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RetainedPage {
    /// Their places in the order, what was published, and when, in the order of their topics.
    pub found: Vec<(Seq, Arc<Publication>, Moment)>,
    /// The topic after which to go on; `None` when this was all.
    pub reached: Option<Topic>,
}

impl Reading {
    /// What is retained for this topic. What could not be read any more is not there.
    pub fn retained_of(&self, topic: &Topic) -> Result<Option<(Seq, Arc<Publication>)>, Refusal> {
        let Some(retained) = self.retained_at(topic).map_err(refuse)? else { return Ok(None) };
        let change = self.change_left(Pos(retained.pos)).map_err(refuse)?;
        Ok(change.and_then(|change| Some((change.seq, publication_in(&change)?))))
    }

    /// A number that is another one when something else is retained for this topic; nothing where nothing is.
    pub fn retained_mark(&self, topic: &Topic) -> Result<Option<u64>, Refusal> {
        Ok(self.retained_at(topic).map_err(refuse)?.map(|retained| retained.pos))
    }

    /// What is retained for the topics of a filter, after this one: at most `max`, and some of
    /// [`TOPIC_PAGE_BYTES_MAX`].
    pub fn retained(
        &self,
        permit: &MaySubscribe,
        after: Option<&Topic>,
        max: usize,
    ) -> Result<RetainedPage, Refusal> {
        let bounds = (max.clamp(1, PAGE_ENTRIES_MAX), SCAN_ENTRIES_MAX);
        let lying = self.retained_matching(permit.filter(), after, bounds).map_err(refuse)?;
        let (mut page, mut bytes) = (RetainedPage { found: Vec::new(), reached: lying.reached }, 0);
        let last = lying.found.len().saturating_sub(1);
        for (at, (topic, retained)) in lying.found.into_iter().enumerate() {
            let Some(change) = self.change_left(Pos(retained.pos)).map_err(refuse)? else { continue };
            let Some(publication) = publication_in(&change) else { continue };
            // A former version kept what it was let.
            if is_between(topic.as_str()) {
                continue;
            }
            bytes += publication.payload.len();
            page.found.push((change.seq, publication, change.origin.moment));
            if bytes >= TOPIC_PAGE_BYTES_MAX && at < last {
                page.reached = Some(topic);
                break;
            }
        }
        Ok(page)
    }
}

fn publication_in(change: &Change) -> Option<Arc<Publication>> {
    match &change.what {
        What::Published { publication, .. } => Some(publication.clone()),
        _ => None,
    }
}
