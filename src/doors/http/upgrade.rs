//! From HTTP to WebSocket: the handshake, and the connection that is left of it.

use crate::doors::http::reply::{Problem, Reply};
use crate::doors::http::{Call, Site};
use crate::doors::reach::Stream;
use crate::node::Caller;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A WebSocket whose handshake is done. Whoever takes it speaks frames on what is left.
pub struct Upgraded {
    /// The connection, past the handshake.
    pub stream: Stream,
    /// Bytes that arrived together with the handshake: the first of the first frame.
    pub leftover: Bytes,
    /// The door's whole.
    pub site: Arc<Site>,
    /// Who is calling, by header or by the page's cookie; realtime clients log in later instead.
    pub caller: Option<Caller>,
}

impl Call {
    /// Whether a header that lists words has this one.
    pub fn asks(&self, name: HeaderName, word: &str) -> bool {
        let words = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        words.flat_map(|words| words.split(',')).any(|asked| asked.trim().eq_ignore_ascii_case(word))
    }

    /// Answers the handshake and gives the socket to `session`, in a task of its own. The guard has judged the
    /// Origin already.
    pub fn websocket<F, S>(mut self, session: S) -> Result<Reply, Problem>
    where
        S: FnOnce(Upgraded) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let fits = self.asks(UPGRADE, "websocket")
            && self.asks(CONNECTION, "upgrade")
            && self.asks(SEC_WEBSOCKET_VERSION, "13");
        let key = self.header(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
        let (Some(accept), Some(upgrade), true) = (key, self.upgrade.take(), fits) else {
            let text = "This address speaks WebSocket (version 13): connect with ws:// instead of http://";
            return Err(Problem::status(StatusCode::UPGRADE_REQUIRED, text));
        };
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let parts = match upgraded.downcast::<TokioIo<Stream>>() {
                Ok(parts) => parts,
                Err(_) => unreachable!("the server serves nothing but TokioIo<Stream>"),
            };
            let (stream, leftover) = (parts.io.into_inner(), parts.read_buf);
            session(Upgraded { stream, leftover, site: self.site, caller: self.caller }).await;
            drop(self.socket);
        });
        let reply = Reply::empty(StatusCode::SWITCHING_PROTOCOLS);
        Ok(reply.with(CONNECTION, "Upgrade").with(UPGRADE, "websocket").with(SEC_WEBSOCKET_ACCEPT, &accept))
    }
}
