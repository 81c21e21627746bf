//! How others reach the doors: plain sockets, TLS, and WebSocket as a carrier of bytes. Any door may name this one; it
//! names none.
//!
//! A door accepts a [`TcpStream`](tokio::net::TcpStream), makes a [`Stream`] of it with [`Stream::plain`] or
//! [`Tls::accept`], and need not know which. The HTTP door makes one of an upgraded connection with
//! [`Stream::websocket`] and hands it to a [`Take`].
//!
//! A [`Stream`] is tokio's `AsyncRead` and `AsyncWrite`. A session that holds nothing while it is silent reads into a
//! buffer it shares with others: `poll_read` (or `try_read`, and `readable` once that would block), `try_write`, and
//! `flush` when [`Stream::holds_back`] says so. One task uses a stream at a time.

mod common_name;
pub mod frame;
mod handshakes;
pub mod identity;
mod stream;
pub mod tls;
mod websocket;

pub use stream::Stream;
pub use tls::{Clients, Tls};

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// What serves a stream to its end.
pub type Take = Arc<dyn Fn(Stream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where strangers count as one: an address, or the 64 leading bits that one network has in IPv6.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}
