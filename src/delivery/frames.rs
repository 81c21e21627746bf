//! Bytes of Changes, encoded once per dialect and shared by every listener that keeps up.

use crate::base::id::Seq;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// A small cache of encoded Changes. What a dialect's number means is the doors' affair.
pub struct Frames {
    kept: Mutex<Kept>,
    frames_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Kept {
    frames: BTreeMap<(Seq, u8), Bytes>,
    bytes: usize,
}

impl Frames {
    /// A cache of so many frames and bytes.
    pub fn with_bounds(frames_max: usize, bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), frames_max, bytes_max }
    }

    /// The bytes of the Change at `seq` in a dialect: `encode` runs only if nobody asked before, and with no lock held.
    pub fn get(&self, seq: Seq, dialect: u8, encode: impl FnOnce() -> Bytes) -> Bytes {
        if let Some(frame) = self.lock().frames.get(&(seq, dialect)) {
            return frame.clone();
        }
        let frame = encode();
        self.lock().keep((seq, dialect), frame, self.frames_max, self.bytes_max)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder of this lock panics")
    }
}

impl Kept {
    /// Keeps a frame, dropping those of the oldest Changes; gives the one to share.
    fn keep(&mut self, key: (Seq, u8), frame: Bytes, frames_max: usize, bytes_max: usize) -> Bytes {
        if let Some(first) = self.frames.get(&key) {
            return first.clone();
        }
        if frame.len() > bytes_max || frames_max == 0 {
            return frame;
        }
        while self.frames.len() >= frames_max || self.bytes + frame.len() > bytes_max {
            // A laggard's frame does not push out those that many are about to ask for.
            match self.frames.first_entry() {
                Some(oldest) if *oldest.key() < key => self.bytes -= oldest.remove().len(),
                _ => return frame,
            }
        }
        self.bytes += frame.len();
        self.frames.insert(key, frame.clone());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_change_is_encoded_once_per_dialect() {
        let frames = Frames::with_bounds(4, 100);
        let encoded = Cell::new(0);
        for _listener in 0..1_000 {
            for dialect in [0, 1] {
                let frame = frames.get(Seq(7), dialect, || {
                    encoded.set(encoded.get() + 1);
                    Bytes::from(vec![dialect; 3])
                });
                assert_eq!(frame, vec![dialect; 3]);
            }
        }
        assert_eq!(encoded.get(), 2);
    }

    #[test]
    fn frames_and_bytes_are_bounded_and_the_newest_stay() {
        let frames = Frames::with_bounds(4, 100);
        for seq in 1..=50 {
            frames.get(Seq(seq), 0, || Bytes::from(vec![0; 30]));
            let kept = frames.lock();
            assert!(kept.frames.len() <= 4 && kept.bytes <= 100, "{} {}", kept.frames.len(), kept.bytes);
            assert_eq!(kept.bytes, kept.frames.values().map(Bytes::len).sum::<usize>());
            assert!(kept.frames.contains_key(&(Seq(seq), 0)));
        }
        frames.get(Seq(1), 0, || Bytes::from(vec![0; 30]));
        frames.get(Seq(60), 0, || Bytes::from(vec![0; 101]));
        let kept: Vec<_> = frames.lock().frames.keys().copied().collect();
        assert_eq!(kept, [(Seq(48), 0), (Seq(49), 0), (Seq(50), 0)]);
    }

    #[test]
    fn an_encoder_may_ask_for_another_frame() {
        let frames = Frames::with_bounds(4, 100);
        let outer = frames.get(Seq(2), 0, || frames.get(Seq(1), 0, || Bytes::from_static(b"inner")));
        assert_eq!(outer, "inner");
    }
}
