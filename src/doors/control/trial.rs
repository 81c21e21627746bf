//! A look at what devices publish, for the command line.

use super::answer::{OPERATOR, Surroundings};
use super::wire::Reply;
use crate::chat::refusal::Refusal;
use crate::doors::trial::{NotTried, Order};

/// Looks at the topics of a node that runs with its broker.
pub async fn look(around: &Surroundings, order: Order) -> Result<Reply, Refusal> {
    let Some(trier) = &around.trier else {
        let hint = "start it with 'linnet' and 'mqtt.address' not \"off\", or look at another broker with --bridge URL";
        return Ok(Reply::refused("no node runs here that has a broker", hint));
    };
    match (trier.0)(OPERATOR, order).await {
        Ok(tried) => Ok(Reply::ok(&tried)),
        Err(NotTried::Refused(refusal)) => Err(refusal),
        Err(NotTried::Wrong(what)) => Ok(Reply::refused(what, "'linnet mqtt try --help' has examples")),
    }
}
