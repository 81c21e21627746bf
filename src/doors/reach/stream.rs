//! One type for a connection, however it came.

use super::websocket::WebSocket;
use bytes::Bytes;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::{consume_budget, unconstrained};
use tokio_rustls::server::TlsStream;

/// A connection, however it came. Ends when it is dropped; `shutdown` says so to the other side first.
pub struct Stream {
    peer: SocketAddr,
    way: Way,
}

/// How bytes travel. What needs state of its own is boxed, so that a plain connection is as small as its socket.
enum Way {
    Plain(TcpStream),
    Tls(Box<Encrypted>),
    WebSocket(Box<WebSocket>),
}

struct Encrypted {
    stream: TlsStream<TcpStream>,
    client_name: Option<String>,
}

impl Stream {
    /// A connection in clear.
    pub fn plain(stream: TcpStream, peer: SocketAddr) -> Stream {
        Stream { peer, way: Way::Plain(stream) }
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>, peer: SocketAddr, client_name: Option<String>) -> Stream {
        Stream { peer, way: Way::Tls(Box::new(Encrypted { stream, client_name })) }
    }

    /// The bytes inside the binary frames of a connection whose WebSocket handshake is done. `leftover` came behind it.
    pub fn websocket(under: Stream, leftover: Bytes) -> Stream {
        Stream { peer: under.peer, way: Way::WebSocket(Box::new(WebSocket::new(under, leftover))) }
    }

    /// The other side's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether the other side is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    /// Whether nobody on the way can read it.
    pub fn is_encrypted(&self) -> bool {
        match &self.way {
            Way::Plain(_) => false,
            Way::Tls(_) => true,
            Way::WebSocket(websocket) => websocket.under().is_encrypted(),
        }
    }

    /// The common name in a client's certificate that was verified.
    pub fn client_name(&self) -> Option<&str> {
        match &self.way {
            Way::Plain(_) => None,
            Way::Tls(encrypted) => encrypted.client_name.as_deref(),
            Way::WebSocket(websocket) => websocket.under().client_name(),
        }
    }

    /// The socket at the bottom, for its options and its readiness. Bytes never go through it directly.
    pub fn tcp(&self) -> &TcpStream {
        match &self.way {
            Way::Plain(stream) => stream,
            Way::Tls(encrypted) => encrypted.stream.get_ref().0,
            Way::WebSocket(websocket) => websocket.under().tcp(),
        }
    }

    /// Reads what is there: 0 is the end, `WouldBlock` that there is nothing now.
    pub fn try_read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Way::Plain(stream) = &self.way {
            return stream.try_read(bytes);
        }
        let mut buffer = ReadBuf::new(bytes);
        now(|context| Pin::new(&mut *self).poll_read(context, &mut buffer))?;
        Ok(buffer.filled().len())
    }

    /// Writes as much as goes at once; `WouldBlock` when nothing does.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Way::Plain(stream) = &self.way {
            return stream.try_write(bytes);
        }
        now(|context| Pin::new(&mut *self).poll_write(context, bytes))
    }

    /// Whether bytes that were taken still wait for a `flush`.
    pub fn holds_back(&self) -> bool {
        match &self.way {
            Way::Plain(_) => false,
            Way::Tls(encrypted) => encrypted.stream.get_ref().1.wants_write(),
            Way::WebSocket(websocket) => websocket.holds_back(),
        }
    }

    /// Ready when a read that would have blocked may give something.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_read_ready(context)
    }

    /// Waits until a read that would have blocked may give something. Others get their turn here, however much comes.
    pub async fn readable(&self) -> io::Result<()> {
        consume_budget().await;
        self.tcp().readable().await
    }

    /// Waits until a write that would have blocked may take something.
    pub async fn writable(&self) -> io::Result<()> {
        consume_budget().await;
        self.tcp().writable().await
    }
}

/// What is ready without waiting. The task's budget does not count here: once it is spent, everything would seem to
/// block, and waiting until it does not would end at once, for ever.
fn now<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    let polling = pin!(unconstrained(poll_fn(poll)));
    match polling.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().way {
            Way::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Way::Tls(encrypted) => Pin::new(&mut encrypted.stream).poll_read(context, buffer),
            Way::WebSocket(websocket) => websocket.poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().way {
            Way::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Way::Tls(encrypted) => Pin::new(&mut encrypted.stream).poll_write(context, bytes),
            Way::WebSocket(websocket) => websocket.poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().way {
            Way::Plain(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            Way::Tls(encrypted) => Pin::new(&mut encrypted.stream).poll_write_vectored(context, pieces),
            Way::WebSocket(websocket) => {
                let first = pieces.iter().find(|piece| !piece.is_empty());
                websocket.poll_write(context, first.map_or(&[], |piece| piece))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.way {
            Way::Plain(stream) => stream.is_write_vectored(),
            Way::Tls(encrypted) => encrypted.stream.is_write_vectored(),
            Way::WebSocket(_) => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().way {
            Way::Plain(stream) => Pin::new(stream).poll_flush(context),
            Way::Tls(encrypted) => Pin::new(&mut encrypted.stream).poll_flush(context),
            Way::WebSocket(websocket) => websocket.poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().way {
            Way::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Way::Tls(encrypted) => Pin::new(&mut encrypted.stream).poll_shutdown(context),
            Way::WebSocket(websocket) => websocket.poll_shutdown(context),
        }
    }
}
