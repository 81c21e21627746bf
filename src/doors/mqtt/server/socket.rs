//! The socket of a connection. While it is silent it holds no buffer: reading and writing borrow the thread's.

use crate::base::limits::{
    MQTT_KERNEL_BYTES, MQTT_LINGER_BYTES, MQTT_LINGER_SECONDS, MQTT_READ_BYTES, MQTT_WRITE_BYTES,
    MQTT_WRITE_BYTES_KEPT, SOCKET_STALL_SECONDS_MAX,
};
use crate::doors::reach::Stream;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// There is nobody to tell anything any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost;

thread_local! {
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The thread's buffer for what is read; it goes back when this is dropped.
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// Borrows it.
    pub fn take() -> Self {
        let mut bytes = READ.take();
        bytes.resize(MQTT_READ_BYTES, 0);
        Self(bytes)
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        READ.set(std::mem::take(&mut self.0));
    }
}

/// A socket that takes whole packets.
pub struct Socket {
    stream: Stream,
    out: Vec<u8>,
    /// What the client did not take yet.
    rest: Vec<u8>,
    taken: usize,
}

impl Socket {
    /// A connection that was just accepted.
    pub fn new(stream: Stream) -> Self {
        use rustix::net::sockopt;
        let tcp = stream.tcp();
        // Every write is a whole answer: waiting for more would only delay it. A socket that refuses is closed already.
        let _ = tcp.set_nodelay(true);
        // Or a client that does not read could have the kernel keep megabytes for it.
        let _ = sockopt::set_socket_send_buffer_size(tcp, MQTT_KERNEL_BYTES);
        // A client that says that it may be silent for ever is found out by the kernel when it is gone.
        let idle = Duration::from_secs(u64::from(SOCKET_STALL_SECONDS_MAX));
        let _ = sockopt::set_tcp_user_timeout(tcp, SOCKET_STALL_SECONDS_MAX * 1_000);
        let _ = sockopt::set_socket_keepalive(tcp, true);
        let _ = sockopt::set_tcp_keepidle(tcp, idle);
        Self { stream, out: Vec::new(), rest: Vec::new(), taken: 0 }
    }

    /// The connection itself.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Reads what arrived; ready when something did.
    pub fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<Result<usize, Lost>> {
        let mut buffer = ReadBuf::new(&mut scratch.0);
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        let bytes = buffer.filled().len();
        if read.is_err() || bytes == 0 {
            return Poll::Ready(Err(Lost));
        }
        Poll::Ready(Ok(bytes))
    }

    /// What is put together for the next write.
    pub fn out(&mut self) -> &mut Vec<u8> {
        if self.out.capacity() == 0 {
            self.out = WRITE.take();
        }
        &mut self.out
    }

    /// Whether enough is put together for one write.
    pub fn is_full(&self) -> bool {
        self.out.len() >= MQTT_WRITE_BYTES
    }

    /// Whether the client has not taken all that was written: nothing more is put meanwhile.
    pub fn is_stalled(&self) -> bool {
        !self.rest.is_empty() || self.stream.holds_back()
    }

    /// Bytes it holds for a client that does not take them.
    pub fn held_bytes(&self) -> usize {
        self.rest.capacity()
    }

    /// Writes what was put: at once, as a rule. What the client does not take is kept. Gives how many bytes were put.
    pub fn write(&mut self) -> Result<usize, Lost> {
        let bytes = self.out.len();
        if bytes == 0 {
            return Ok(0);
        }
        let written = match self.is_stalled() {
            false => match self.stream.try_write(&self.out) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return Err(Lost),
            },
            true => 0,
        };
        self.rest.extend_from_slice(&self.out[written..]);
        self.out.clear();
        let out = std::mem::take(&mut self.out);
        if out.capacity() <= MQTT_WRITE_BYTES_KEPT {
            WRITE.set(out);
        }
        Ok(bytes)
    }

    /// Writes what was kept, and is ready when the client took some of it.
    pub fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let mut took = false;
        while self.taken < self.rest.len() {
            match Pin::new(&mut self.stream).poll_write(context, &self.rest[self.taken..]) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    took = true;
                    self.taken += written;
                }
                Poll::Ready(_) => return Poll::Ready(Err(Lost)),
                Poll::Pending => return if took { Poll::Ready(Ok(())) } else { Poll::Pending },
            }
        }
        (self.rest, self.taken) = (Vec::new(), 0);
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(flushed) => Poll::Ready(flushed.map_err(|_| Lost)),
            Poll::Pending if took => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes what is left and says that nothing more comes; within a moment, and then the connection is over.
    pub async fn shutdown(mut self) {
        let (rest, out) = (std::mem::take(&mut self.rest), std::mem::take(&mut self.out));
        let stream = &mut self.stream;
        let telling = async {
            stream.write_all(&rest[self.taken..]).await?;
            stream.write_all(&out).await?;
            stream.flush().await?;
            stream.shutdown().await?;
            // Closing over unread bytes would reset the connection, and what was said last with it.
            let mut left = MQTT_LINGER_BYTES;
            while left > 0 {
                match stream.try_read(&mut Scratch::take().0) {
                    Ok(0) => break,
                    Ok(read) => left = left.saturating_sub(read),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => stream.readable().await?,
                    Err(error) => return Err(error),
                }
            }
            std::io::Result::Ok(())
        };
        let _ = timeout(Duration::from_secs(MQTT_LINGER_SECONDS), telling).await;
    }
}
