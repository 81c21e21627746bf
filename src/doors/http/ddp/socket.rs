//! The socket of a session. While it is silent it holds no buffer: reading and writing borrow the thread's.

use super::frame::Framing;
use crate::base::limits::{
    DDP_KERNEL_BYTES, DDP_LINGER_BYTES, DDP_LINGER_SECONDS, DDP_READ_BYTES, DDP_WRITE_BYTES_KEPT,
    DDP_WRITE_SECONDS_MAX,
};
use crate::doors::reach::Stream;
use crate::doors::reach::frame::{Goodbye, Inbox, Received};
use serde_json::Value;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// Why a session is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The client is told why.
    Goodbye(Goodbye),
    /// There is nobody to tell.
    Lost,
}

impl From<Goodbye> for End {
    fn from(goodbye: Goodbye) -> Self {
        End::Goodbye(goodbye)
    }
}

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; DDP_READ_BYTES]);
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A socket that speaks frames.
pub struct Socket {
    stream: Stream,
    /// How messages lie in frames.
    pub framing: Framing,
    inbox: Inbox,
    out: Vec<u8>,
}

impl Socket {
    /// A socket past its handshake, with the bytes that came behind it.
    pub fn new(stream: Stream, leftover: &[u8], framing: Framing) -> Self {
        // Every write is a whole answer: waiting for more would only delay it. A socket that refuses is closed already.
        let _ = stream.tcp().set_nodelay(true);
        // Or a client that does not read could have the kernel keep megabytes for it.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream.tcp(), DDP_KERNEL_BYTES);
        let mut inbox = Inbox::default();
        if !leftover.is_empty() {
            inbox.push(leftover);
        }
        Self { stream, framing, inbox, out: Vec::new() }
    }

    /// Takes in what arrived; ready when something did.
    pub fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        READ.with_borrow_mut(|bytes| {
            let mut buffer = ReadBuf::new(bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Err(End::Lost));
            }
            self.inbox.push(buffer.filled());
            Poll::Ready(Ok(()))
        })
    }

    /// The next thing the client sent, if it is there whole.
    pub fn take(&mut self, bytes_max: usize) -> Result<Option<Received>, Goodbye> {
        self.inbox.take(bytes_max)
    }

    /// What is put together for the next write.
    pub fn out(&mut self) -> &mut Vec<u8> {
        if self.out.capacity() == 0 {
            self.out = WRITE.take();
        }
        &mut self.out
    }

    /// Puts a DDP message behind what is to be written.
    pub fn put(&mut self, message: &Value) {
        let text = message.to_string();
        let framing = self.framing;
        framing.put(self.out(), text.as_bytes());
    }

    /// Bytes that wait to be written.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// Writes everything that was put: at once, as a rule. A client that does not read is waited for, and given up.
    pub async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = match self.stream.try_write(&self.out) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return Err(End::Lost),
        };
        if written < self.out.len() || self.stream.holds_back() {
            // Boxed, so that the sessions that need not wait do not carry the room for it.
            Box::pin(self.flush_rest(written, Duration::from_secs(DDP_WRITE_SECONDS_MAX))).await?;
        }
        self.out.clear();
        let out = std::mem::take(&mut self.out);
        if out.capacity() <= DDP_WRITE_BYTES_KEPT {
            WRITE.set(out);
        }
        Ok(())
    }

    async fn flush_rest(&mut self, written: usize, within: Duration) -> Result<(), End> {
        let writing = async {
            self.stream.write_all(&self.out[written..]).await?;
            self.stream.flush().await
        };
        match timeout(within, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }

    /// Tells the client that this is the end, and hangs up once it has heard it.
    pub async fn close(mut self, goodbye: Goodbye) {
        let framing = self.framing;
        framing.put_goodbye(self.out(), goodbye);
        let linger = Duration::from_secs(DDP_LINGER_SECONDS);
        if self.flush_rest(0, linger).await.is_err() || self.stream.shutdown().await.is_err() {
            return;
        }
        // Closing over unread bytes would reset the connection, and the goodbye with it.
        let mut left = DDP_LINGER_BYTES;
        let hear_out = async {
            while left > 0 {
                match READ.with_borrow_mut(|bytes| self.stream.try_read(bytes)) {
                    Ok(0) => return,
                    Ok(read) => left = left.saturating_sub(read),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        if self.stream.readable().await.is_err() {
                            return;
                        }
                    }
                    Err(_) => return,
                }
            }
        };
        let _ = timeout(linger, hear_out).await;
    }
}
