//! What people say to a device, as it hears it by `linnet/device/<device>/in`; and what it answers by `.../out`.

use super::draft::draft;
use super::packet::{Publish, Said, question_properties, said};
use crate::base::id::MessageId;
use crate::chat::message::Draft;
use crate::chat::question::{Answers, Question, topic_out};
use crate::chat::refusal::Refusal;
use crate::node::topics::Worded;
use crate::node::{Books, NodeHandle};
use serde::Serialize;

/// A question as devices read it.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    room: &'a str,
    from: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    /// Seconds since 1970, where somebody spoke for the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
}

/// A question as JSON; 5.0 is told as well where the answer goes, and what it carries.
pub fn worded(question: &Question<'_>) -> Worded {
    let message = question.message;
    let line = Line {
        text: question.text,
        room: question.room,
        from: message.author.username.as_str(),
        id: message.id.as_str(),
        thread: message.thread.as_ref().map(|thread| thread.as_str()),
        time: message.trusted.then_some(message.at / 1_000),
    };
    let payload = serde_json::to_vec(&line).expect("texts and numbers make JSON");
    (payload.into(), question_properties(&topic_out(question.device), message.id.as_str()))
}

/// What a device says, and to which question: the one it names (`re`), that of the correlation data, or the newest.
pub fn answer(node: &NodeHandle, publish: &Publish) -> Result<(Draft, Answers), Refusal> {
    let mut draft = draft(&publish.payload)?;
    if let Some(message) = draft.thread.take() {
        return Ok((draft, Answers::Message(message)));
    }
    let properties = publish.properties.as_deref().unwrap_or_default();
    let correlation = said(properties).find_map(|said| match said {
        Said::Correlation(bytes) => Some(bytes),
        _ => None,
    });
    let Some(bytes) = correlation else { return Ok((draft, Answers::Newest)) };
    // Whoever asked by the topic itself has its own numbers: what answers them is not said in a room.
    let message = std::str::from_utf8(bytes).ok().and_then(MessageId::parse);
    let message = message.map(|id| node.read(|reading| reading.message(&id))).transpose()?.flatten();
    Ok((draft, message.map_or(Answers::Elsewhere, |message| Answers::Message(message.id))))
}
