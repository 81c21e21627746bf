//! A WebSocket as a carrier of bytes: what binary frames hold, in order, wherever their borders lie. Payloads are
//! unmasked where they were read to; a silent connection holds no buffer.

use super::Stream;
use super::frame::{Control, Data, Goodbye, Head, OpCode, put_binary_head, put_close, put_pong};
use crate::base::limits::{CARRIER_FRAME_BYTES_MAX, CARRIER_WRITE_BYTES};
use bytes::{Buf, Bytes};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes inside the frames of a connection.
pub struct WebSocket {
    under: Stream,
    /// Came behind the handshake.
    leftover: Bytes,
    reader: Reader,
    /// Frames that are on their way out.
    out: Vec<u8>,
    /// How much of them has left.
    gone: usize,
    /// Whether nothing but what is in `out` is said any more.
    is_closing: bool,
}

impl WebSocket {
    pub fn new(under: Stream, leftover: Bytes) -> Self {
        let reader = Reader::default();
        Self { under, leftover, reader, out: Vec::new(), gone: 0, is_closing: false }
    }

    /// What carries it.
    pub fn under(&self) -> &Stream {
        &self.under
    }

    /// Whether frames still wait to leave.
    pub fn holds_back(&self) -> bool {
        !self.out.is_empty() || self.reader.pong.is_some() || self.under.holds_back()
    }

    /// Gives what frames held; an empty buffer back is the end.
    pub fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            // Answers go out here too: a client that only listens must get its pong all the same.
            if self.poll_out(context)?.is_ready() && self.reader.ended.is_some() {
                return Poll::Ready(self.end());
            }
            if self.reader.ended.is_some() || buffer.remaining() == 0 {
                return if buffer.remaining() == 0 { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
            let start = buffer.filled().len();
            if self.leftover.is_empty() {
                ready!(Pin::new(&mut self.under).poll_read(context, buffer))?;
            } else {
                let now = self.leftover.len().min(buffer.remaining());
                buffer.put_slice(&self.leftover[..now]);
                self.leftover.advance(now);
            }
            let came = &mut buffer.filled_mut()[start..];
            if came.is_empty() {
                let is_whole = self.reader.is_between_frames();
                return Poll::Ready(if is_whole { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) });
            }
            let held = self.reader.unpack(came);
            buffer.set_filled(start + held);
            if held > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// How reading ends, once the other side has been told.
    fn end(&self) -> io::Result<()> {
        match self.reader.ended {
            Some(Goodbye::DONE) | None => Ok(()),
            Some(goodbye) => Err(io::Error::new(ErrorKind::InvalidData, goodbye.reason)),
        }
    }

    /// Puts bytes into a frame of their own, once those before have left.
    pub fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(context))?;
        if self.is_closing {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let now = bytes.len().min(CARRIER_WRITE_BYTES);
        if now > 0 {
            put_binary_head(&mut self.out, now);
            self.out.extend_from_slice(&bytes[..now]);
            // They are taken, whether they leave now or with the next write or flush.
            let _ = self.poll_out(context)?;
        }
        Poll::Ready(Ok(now))
    }

    /// Ready when everything has left.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(context))?;
        Pin::new(&mut self.under).poll_flush(context)
    }

    /// Says goodbye, then ends what carries it.
    pub fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close(Goodbye::DONE);
        ready!(self.poll_out(context))?;
        Pin::new(&mut self.under).poll_shutdown(context)
    }

    fn close(&mut self, goodbye: Goodbye) {
        if !self.is_closing {
            self.is_closing = true;
            put_close(&mut self.out, goodbye);
        }
    }

    /// Writes what waits, and what the reader found to be answered; ready when it has left for the carrier.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.gone < self.out.len() {
                let left = &self.out[self.gone..];
                match ready!(Pin::new(&mut self.under).poll_write(context, left))? {
                    0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                    written => self.gone += written,
                }
            }
            let is_fresh = self.gone > 0;
            (self.out, self.gone) = (Vec::new(), 0);
            match (self.reader.pong.take(), self.reader.ended) {
                (Some(pong), _) if !self.is_closing => put_pong(&mut self.out, &pong),
                (_, Some(goodbye)) if !self.is_closing => self.close(goodbye),
                _ if is_fresh => return Pin::new(&mut self.under).poll_flush(context),
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Takes frames apart, however their bytes arrive.
#[derive(Default)]
struct Reader {
    /// The first bytes of a head that is not there whole.
    head: heapless::Vec<u8, HEAD_BYTES_MAX>,
    /// The frame whose payload comes now.
    frame: Option<Frame>,
    /// Whether a message has begun and not ended.
    in_message: bool,
    /// The payload of the newest ping that was not answered yet: only that one has to be.
    pong: Option<Vec<u8>>,
    /// Why nothing more is read.
    ended: Option<Goodbye>,
}

struct Frame {
    head: Head,
    /// Bytes of the payload that were taken.
    taken: u64,
    /// The payload of a control frame so far.
    control: Vec<u8>,
}

/// Two bytes, eight for the longest length, four for the mask.
const HEAD_BYTES_MAX: usize = 14;

impl Reader {
    fn is_between_frames(&self) -> bool {
        self.head.is_empty() && self.frame.is_none()
    }

    /// Moves what the frames hold to the front of `bytes` and says how much it is.
    fn unpack(&mut self, bytes: &mut [u8]) -> usize {
        let (mut read, mut held) = (0, 0);
        while read < bytes.len() && self.ended.is_none() {
            let Some(frame) = &mut self.frame else {
                self.take_head_byte(bytes[read]);
                read += 1;
                continue;
            };
            let left = usize::try_from(frame.head.length - frame.taken).unwrap_or(usize::MAX);
            let end = read + left.min(bytes.len() - read);
            for at in read..end {
                let byte = bytes[at] ^ frame.head.mask[(frame.taken % 4) as usize];
                frame.taken += 1;
                match frame.head.opcode {
                    OpCode::Control(_) => frame.control.push(byte),
                    OpCode::Data(_) => {
                        bytes[held] = byte;
                        held += 1;
                    }
                }
            }
            read = end;
            self.end_frame();
        }
        held
    }

    fn take_head_byte(&mut self, byte: u8) {
        // A head that is not whole with its longest length is none, and ends the reading here.
        let parsed =
            self.head.push(byte).map_err(|_| Goodbye::PROTOCOL).and_then(|()| Head::parse(&self.head));
        match parsed.and_then(|head| head.map(|head| self.begin(head)).transpose()) {
            Ok(None) => {}
            Ok(Some(())) => {
                self.head.clear();
                self.end_frame();
            }
            Err(goodbye) => self.ended = Some(goodbye),
        }
    }

    fn begin(&mut self, head: Head) -> Result<(), Goodbye> {
        match head.opcode {
            OpCode::Data(Data::Text) => return Err(Goodbye::TEXT),
            OpCode::Data(_) if head.length > CARRIER_FRAME_BYTES_MAX => return Err(Goodbye::TOO_BIG),
            OpCode::Data(kind) if (kind == Data::Continue) != self.in_message => {
                return Err(Goodbye::PROTOCOL);
            }
            OpCode::Data(_) => self.in_message = !head.is_final,
            OpCode::Control(_) => {}
        }
        self.frame = Some(Frame { head, taken: 0, control: Vec::new() });
        Ok(())
    }

    /// What follows once a payload is there whole.
    fn end_frame(&mut self) {
        let Some(frame) = self.frame.take_if(|frame| frame.taken == frame.head.length) else { return };
        match frame.head.opcode {
            OpCode::Control(Control::Ping) => self.pong = Some(frame.control),
            OpCode::Control(Control::Close) => self.ended = Some(Goodbye::DONE),
            OpCode::Control(_) | OpCode::Data(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
