//! Methods at work: begun, and not answered yet.

use super::message::MethodError;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What a method gives.
pub type Given = Result<Value, MethodError>;
/// A method at work.
pub type Working = Pin<Box<dyn Future<Output = Given> + Send>>;

/// What a method does to the session that called it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// It logs in.
    Login,
    /// It logs out.
    Logout,
}

/// A method at work for one client.
pub struct Flight {
    /// What the client names it by.
    pub id: String,
    /// What it does to the session.
    pub kind: Kind,
    /// The work.
    pub future: Working,
}

/// A method that is done.
pub struct Landed {
    /// What the client names it by.
    pub id: String,
    /// What it does to the session.
    pub kind: Kind,
    /// What it gave.
    pub result: Given,
}

impl Flight {
    /// Goes on as far as it can.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Given> {
        self.future.as_mut().poll(context)
    }

    /// Goes as far as it can without waiting; whoever calls this polls again before it sleeps.
    pub fn poll_once(&mut self) -> Option<Given> {
        match self.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(given) => Some(given),
            Poll::Pending => None,
        }
    }
}
