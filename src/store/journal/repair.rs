//! Writes a stretch of the journal anew with the frames that a repair has of it: those that can still be read, and those
//! that came back from somewhere else. Only for a journal on which no node runs.

use bytes::Bytes;

use super::{Pos, Reader, Rewritten};
use crate::base::limits::GROUP_BYTES_MAX;
use crate::store::error::StoreError;

impl Reader {
    /// Writes the segments from the one that begins at `from` to the one that ends at `until` anew with these frames,
    /// whose numbers rise; also the newest segment, and a stretch whose segments are missing. The next group goes into a
    /// segment behind it, so that nothing may be appended until the journal is opened again.
    pub fn rewrite_with(
        &self,
        from: Pos,
        until: Pos,
        frames: impl IntoIterator<Item = Result<(u64, Bytes), StoreError>>,
    ) -> Result<Rewritten, StoreError> {
        let parts = self.parts_within(from, until);
        let ends = |end: Option<u64>| end.unwrap_or(self.end().place()) == until.place();
        let is_whole = match (parts.first(), parts.last()) {
            (Some(first), Some(last)) => first.base == from.place() && ends(last.until),
            _ => self.is_missing(from, until),
        };
        if !is_whole {
            return Err(StoreError::CannotCondense { why: "only whole segments can be repaired" });
        }
        let mut rewrite = self.begin_rewrite(from, until, 0, &parts)?;
        let mut bytes = 0;
        for frame in frames {
            let (seq, payload) = frame?;
            rewrite.push(seq, &payload)?;
            bytes += payload.len();
            // Where groups ended is not known; with groups as large as the writer's there are not more of them.
            if bytes >= GROUP_BYTES_MAX {
                rewrite.group_end()?;
                bytes = 0;
            }
        }
        rewrite.finish()
    }

    /// Whether no segment stands for this stretch, and one begins behind it.
    fn is_missing(&self, from: Pos, until: Pos) -> bool {
        let (files, place) = (&self.shared.files, from.place());
        let is_behind =
            |part: super::files::Part| part.base > place || part.until.is_some_and(|until| until <= place);
        files.next_base(place) == Some(until.place()) && files.around(place).is_none_or(is_behind)
    }
}
