//! Brings what is not well with the node to #system, where those who run it read it.

use crate::base::limits::TELL_AGAIN_SECONDS;
use crate::chat::refusal::Refusal;
use crate::node::{Caller, NodeHandle};
use std::time::Duration;

/// Tells whatever is noted, until the node fails or the runtime ends.
pub async fn tell(node: NodeHandle) {
    loop {
        let news = node.health.news().await;
        let said = news.clone();
        match node.call(&Caller::Operator, move |node| node.tell_troubles(&Caller::Operator, &said)).await {
            Ok(()) => node.health.told(&news),
            // It is in the log, and nobody can be told anything any more.
            Err(Refusal::StoreFailed) => return,
            Err(refusal) => {
                tracing::debug!(?refusal, "a trouble could not be told yet");
                tokio::time::sleep(Duration::from_secs(TELL_AGAIN_SECONDS)).await;
            }
        }
    }
}
