//! Lines of a file of any size, each of a bounded length.

use crate::base::limits::IMPORT_LINE_BYTES_MAX;
use std::io::{self, BufRead, Read};

/// A line without its break; none when it is too long or not UTF-8, with what is wrong.
pub type Line = Result<String, &'static str>;

/// The lines of an input, counted from 1.
pub struct Lines<R> {
    input: R,
    /// The number of the line that came last.
    pub number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of this input.
    pub fn new(input: R) -> Lines<R> {
        Lines { input, number: 0 }
    }

    /// The next line; `None` at the end.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let limit = IMPORT_LINE_BYTES_MAX as u64 + 1;
        if Read::take(&mut self.input, limit).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.len() > IMPORT_LINE_BYTES_MAX {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Err("it is too long")));
        }
        Ok(Some(String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")))
    }
}
