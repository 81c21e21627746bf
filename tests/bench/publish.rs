//! One publisher, many subscribers, and the score of who has received what.

use crate::ddp::{Ddp, find};
use crate::http::Login;
use crate::stats::now;
use crate::{Outcome, wrong};
use serde_json::Value;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Bytes of every message's text.
pub const TEXT_BYTES: usize = 150;
/// Begins every text; run and number follow.
const MARK: &str = "bench-";
/// Longer than any burst that is worth a figure.
const PATIENCE: Duration = Duration::from_secs(180);

/// The text of a message: its run and number, then words up to the length.
pub fn text(run: u32, number: usize) -> String {
    let mut text = format!("{MARK}{run}-{number}- ");
    let words = "the heron stands in the reeds and waits for what the water brings; ";
    text.extend(words.chars().cycle().take(TEXT_BYTES - text.len()));
    text
}

/// Run and number of the message in a frame.
fn stamp(frame: &[u8]) -> Option<(u32, usize)> {
    let rest = &frame[find(frame, MARK.as_bytes())? + MARK.len()..];
    let mut parts = rest.split(|byte| *byte == b'-').map(std::str::from_utf8);
    let mut number = || parts.next()?.ok();
    Some((number()?.parse().ok()?, number()?.parse().ok()?))
}

/// What has arrived in a run.
#[derive(Default)]
struct Score {
    run: u32,
    /// When each message was sent.
    sent: Vec<Instant>,
    /// Subscribers that each message has not reached yet.
    missing: Vec<usize>,
    /// From sent to received by the last subscriber.
    took: Vec<Duration>,
    /// Messages that each subscriber has.
    had: Vec<usize>,
    /// Deliveries that are still to come.
    left: usize,
    /// What went wrong first.
    broken: Option<String>,
}

/// The score, shared by publisher and subscribers.
#[derive(Default)]
pub struct Board {
    score: RefCell<Score>,
    news: Notify,
}

impl Board {
    fn begin(&self, messages: usize) -> u32 {
        let mut score = self.score.borrow_mut();
        let subscribers = score.had.len();
        score.run += 1;
        score.sent = Vec::with_capacity(messages);
        score.missing = vec![subscribers; messages];
        score.took = Vec::with_capacity(messages);
        score.had = vec![0; subscribers];
        score.left = subscribers * messages;
        score.run
    }

    /// A subscriber has received a frame. Every message comes once, and in order.
    fn received(&self, subscriber: usize, frame: &[u8]) {
        let mut score = self.score.borrow_mut();
        let expected = (score.run, score.had[subscriber]);
        match stamp(frame) {
            Some(stamp) if stamp == expected && expected.1 < score.missing.len() => {
                let number = expected.1;
                score.had[subscriber] += 1;
                score.left -= 1;
                score.missing[number] -= 1;
                if score.missing[number] == 0 {
                    let took = now() - score.sent[number];
                    score.took.push(took);
                    self.news.notify_one();
                }
            }
            // Something else than a message of ours: a greeting, an update of another collection.
            None => {}
            Some(stamp) => {
                self.fail(&mut score, format!("subscriber {subscriber} got {stamp:?}, not {expected:?}"))
            }
        }
    }

    fn fail(&self, score: &mut Score, what: String) {
        score.broken.get_or_insert(what);
        self.news.notify_one();
    }

    /// Returns once so many messages have reached everybody.
    async fn reached(&self, messages: usize) -> Outcome<()> {
        loop {
            {
                let score = self.score.borrow();
                if let Some(broken) = &score.broken {
                    return Err(wrong(broken.clone()));
                }
                if score.took.len() >= messages || score.had.is_empty() {
                    return Ok(());
                }
            }
            self.news.notified().await;
        }
    }
}

/// Subscribers of the room, each with a connection of its own.
pub struct Crowd {
    pub board: Rc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// A crowd of nobody.
    pub fn empty() -> Crowd {
        Crowd { board: Rc::default(), tasks: Vec::new() }
    }

    /// Connects so many and has them follow the room.
    pub async fn gather(address: SocketAddr, login: &Login, count: usize) -> Outcome<Crowd> {
        let mut crowd = Crowd::empty();
        for subscriber in 0..count {
            let mut ddp = Ddp::connect(address, login).await?;
            ddp.subscribe().await?;
            crowd.board.score.borrow_mut().had.push(0);
            let board = crowd.board.clone();
            crowd.tasks.push(tokio::task::spawn_local(async move {
                loop {
                    match ddp.next().await {
                        Ok(frame) => board.received(subscriber, &frame),
                        Err(error) => {
                            let mut score = board.score.borrow_mut();
                            return board.fail(&mut score, format!("subscriber {subscriber}: {error}"));
                        }
                    }
                }
            }));
        }
        Ok(crowd)
    }

    fn size(&self) -> usize {
        self.tasks.len()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// What a burst of messages showed.
pub struct Burst {
    /// From the first message to the last delivery.
    pub took: Duration,
    /// Deliveries made.
    pub deliveries: usize,
    /// From each message's sending to its acknowledgement.
    pub acknowledged: Vec<Duration>,
    /// From each message's sending to its receipt by the last subscriber.
    pub received: Vec<Duration>,
}

/// Says so many things, with so many unanswered at a time. With one at a time the next waits until everybody has the
/// last one.
pub async fn burst(publisher: &mut Ddp, crowd: &Crowd, messages: usize, in_flight: usize) -> Outcome<Burst> {
    let run = crowd.board.begin(messages);
    let began = now();
    let said = say_all(publisher, &crowd.board, run, messages, in_flight);
    let acknowledged =
        tokio::time::timeout(PATIENCE, said).await.map_err(|_| wrong("a burst did not end"))??;
    let all = tokio::time::timeout(PATIENCE, crowd.board.reached(messages)).await;
    all.map_err(|_| {
        wrong(format!("{} deliveries of a burst did not arrive", crowd.board.score.borrow().left))
    })??;
    let took = now() - began;
    let received = std::mem::take(&mut crowd.board.score.borrow_mut().took);
    Ok(Burst { took, deliveries: messages * crowd.size(), acknowledged, received })
}

async fn say_all(
    publisher: &mut Ddp,
    board: &Board,
    run: u32,
    messages: usize,
    in_flight: usize,
) -> Outcome<Vec<Duration>> {
    let mut acknowledged = Vec::with_capacity(messages);
    let mut said = 0;
    while acknowledged.len() < messages {
        while said < messages && said - acknowledged.len() < in_flight {
            board.score.borrow_mut().sent.push(now());
            // Ids are the client's own and must be new on this node.
            let id = format!("bench{}x{run}x{said}", std::process::id());
            publisher.say(&said.to_string(), &id, &text(run, said)).await?;
            said += 1;
        }
        let answer = publisher.next().await?;
        if find(&answer[..answer.len().min(64)], br#""updated""#).is_some() {
            continue;
        }
        let answer: Value = serde_json::from_slice(&answer)?;
        if answer["msg"] != "result" {
            continue;
        }
        if let Some(error) = answer.get("error") {
            return Err(wrong(format!("a message was refused: {error}")));
        }
        let number: Option<usize> = answer["id"].as_str().and_then(|id| id.parse().ok());
        let sent = number.and_then(|number| board.score.borrow().sent.get(number).copied());
        let sent = sent.ok_or_else(|| wrong(format!("an answer to nothing: {answer}")))?;
        acknowledged.push(now() - sent);
        if in_flight == 1 {
            board.reached(acknowledged.len()).await?;
        }
    }
    Ok(acknowledged)
}
