//! Papers read back, record by record: a file may be larger than the memory, and one bad record ends nothing.

use super::csv::{Columns, cells};
use super::lines::Lines;
use super::record::Record;
use super::{Format, html, mbox};
use crate::base::limits::IMPORT_LINE_BYTES_MAX;
use std::io::{self, BufRead};

/// What one place of a file holds.
pub struct Found {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// The record, or what is wrong with it.
    pub record: Result<Record, String>,
}

/// Records of a file.
pub struct Papers<R> {
    lines: Lines<R>,
    format: Format,
    columns: Option<Columns>,
    /// The line that begins the next message of a mailbox was read.
    begun: bool,
}

/// Why a line of JSONL is not taken. It is a line of its own to the reader of JSON, so only the column is told.
fn no_record(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    format!("it is no message as an export writes it: {what} at column {}", error.column())
}

impl<R: BufRead> Papers<R> {
    /// The records of a file of this format.
    pub fn new(input: R, format: Format) -> Papers<R> {
        Papers { lines: Lines::new(input), format, columns: None, begun: false }
    }

    /// The next one; `None` at the end.
    pub fn next_record(&mut self) -> io::Result<Option<Found>> {
        match self.format {
            Format::Jsonl => self.by_line(|line| {
                let wanted = !line.trim().is_empty();
                wanted.then(|| serde_json::from_str(line).map_err(|error| no_record(&error)))
            }),
            Format::Html => self.by_line(|line| {
                html::record_in(line).map(|record| record.map_err(|error| error.to_string()))
            }),
            Format::Csv => self.row(),
            Format::Mbox => self.mail(),
        }
    }

    fn by_line(
        &mut self,
        read: impl Fn(&str) -> Option<Result<Record, String>>,
    ) -> io::Result<Option<Found>> {
        while let Some(line) = self.lines.next_line()? {
            let record = match line {
                Ok(line) => read(line.trim_start_matches('\u{feff}')),
                Err(wrong) => Some(Err(wrong.to_owned())),
            };
            if let Some(record) = record {
                return Ok(Some(Found { line: self.lines.number, record }));
            }
        }
        Ok(None)
    }

    fn row(&mut self) -> io::Result<Option<Found>> {
        loop {
            let Some(row) = self.whole_row()? else { return Ok(None) };
            let (line, row) = row;
            let read = row.and_then(|row| cells(&row).ok_or_else(|| "its quotes do not fit".to_owned()));
            let record = match (&self.columns, read) {
                (_, Ok(cells)) if cells == [""] => continue,
                (Some(columns), Ok(cells)) => columns.record(&cells),
                (None, Ok(head)) => match Columns::parse(&head) {
                    Ok(columns) => {
                        self.columns = Some(columns);
                        continue;
                    }
                    Err(wrong) => {
                        // Without columns nothing that follows means anything.
                        while self.lines.next_line()?.is_some() {}
                        Err(wrong)
                    }
                },
                (_, Err(wrong)) => Err(wrong),
            };
            return Ok(Some(Found { line, record }));
        }
    }

    /// A row with the line it begins on: as many lines as its quotes need.
    fn whole_row(&mut self) -> io::Result<Option<(u64, Result<String, String>)>> {
        let Some(first) = self.lines.next_line()? else { return Ok(None) };
        let begins = self.lines.number;
        let mut row = match first {
            Ok(first) => first,
            Err(wrong) => return Ok(Some((begins, Err(wrong.to_owned())))),
        };
        while row.matches('"').count() % 2 == 1 {
            match self.lines.next_line()? {
                Some(Ok(more)) if row.len() + more.len() < IMPORT_LINE_BYTES_MAX => {
                    row.push('\n');
                    row += &more;
                }
                Some(_) => return Ok(Some((begins, Err("it is too long".to_owned())))),
                None => return Ok(Some((begins, Err("its quotes do not fit".to_owned())))),
            }
        }
        Ok(Some((begins, Ok(row.strip_suffix('\r').map_or(row.clone(), str::to_owned)))))
    }

    fn mail(&mut self) -> io::Result<Option<Found>> {
        while !self.begun {
            match self.lines.next_line()? {
                Some(Ok(line)) => self.begun = line.starts_with("From "),
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
        self.begun = false;
        let line = self.lines.number;
        let (mut head, mut body, mut bytes, mut wrong) = (Vec::new(), Vec::new(), 0, None);
        let mut in_head = true;
        while let Some(next) = self.lines.next_line()? {
            let text = match next {
                Ok(text) => text.strip_suffix('\r').map_or(text.clone(), str::to_owned),
                Err(what) => {
                    wrong.get_or_insert(what);
                    continue;
                }
            };
            let after_gap = !in_head && body.last().is_none_or(String::is_empty);
            if after_gap && text.starts_with("From ") {
                self.begun = true;
                break;
            }
            bytes += text.len() + 1;
            match (in_head, text.is_empty()) {
                _ if bytes > IMPORT_LINE_BYTES_MAX => drop(wrong.get_or_insert("it is too long")),
                (true, true) => in_head = false,
                (true, false) => head.push(text),
                (false, _) => body.push(text),
            }
        }
        // The empty line before the next message is none of this one.
        if body.last().is_some_and(String::is_empty) {
            body.pop();
        }
        let record = wrong.map_or_else(|| mbox::record(&head, &body), |wrong| Err(wrong.to_owned()));
        Ok(Some(Found { line, record }))
    }
}
