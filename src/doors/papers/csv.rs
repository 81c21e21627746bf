//! CSV by RFC 4180, for spreadsheets: a cell that one of them would take for a formula begins with an apostrophe.

use super::record::{Edited, Person, Record};

const HEAD: [&str; 11] =
    ["id", "room", "time", "trusted", "author", "author_id", "kind", "text", "thread", "edited", "reactions"];

/// The line that names the columns.
pub fn head(out: &mut Vec<u8>) {
    row(&HEAD.map(str::to_owned), out);
}

/// A message.
pub fn message(record: &Record, out: &mut Vec<u8>) {
    let reactions = record.reactions.iter().map(|reaction| {
        let by: Vec<&str> = reaction.by.iter().map(|person| &*person.username).collect();
        format!("{}: {}", reaction.emoji, by.join(" "))
    });
    let cells = [
        record.id.clone(),
        record.room.clone(),
        record.time.clone(),
        record.trusted.to_string(),
        record.author.username.clone(),
        record.author.id.clone(),
        record.kind.clone(),
        record.text.clone(),
        record.thread.clone().unwrap_or_default(),
        record.edited.as_ref().map_or(String::new(), |edited| edited.time.clone()),
        reactions.collect::<Vec<_>>().join("; "),
    ];
    row(&cells, out);
}

fn row(cells: &[String], out: &mut Vec<u8>) {
    let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    out.extend_from_slice(quoted.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// What makes a spreadsheet calculate; and the apostrophe itself, so that reading gives back what was written.
fn calculates(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'')
}

fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(calculates) { "'" } else { "" };
    let plain = guard.is_empty() && !cell.contains([',', '"', '\n', '\r', ';']);
    if plain { cell.to_owned() } else { format!("\"{guard}{}\"", cell.replace('"', "\"\"")) }
}

/// The cells of one row, without its line break; `None` when its quotes do not fit.
pub fn cells(row: &str) -> Option<Vec<String>> {
    let (mut cells, mut rest) = (Vec::new(), row);
    loop {
        let cell;
        if let Some(inner) = rest.strip_prefix('"') {
            let mut at = 0;
            loop {
                at += inner.get(at..)?.find('"')?;
                if inner[at + 1..].starts_with('"') { at += 2 } else { break }
            }
            (cell, rest) = (inner[..at].replace("\"\"", "\""), &inner[at + 1..]);
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (cell, rest) = (rest[..end].to_owned(), &rest[end..]);
        }
        let guarded = cell.strip_prefix('\'').filter(|behind| behind.starts_with(calculates));
        cells.push(guarded.map_or(cell.clone(), str::to_owned));
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Some(cells),
            None => return None,
        }
    }
}

/// Where the columns are that an import can use.
#[derive(Debug, Default)]
pub struct Columns(Vec<String>);

impl Columns {
    /// The columns of a head line; the words say what is missing.
    pub fn parse(head: &[String]) -> Result<Columns, String> {
        let names: Vec<String> =
            head.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
        match ["time", "author", "text"].iter().find(|needed| !names.iter().any(|name| name == *needed)) {
            Some(missing) => {
                Err(format!("the first line names no column '{missing}': it needs time, author and text"))
            }
            None => Ok(Columns(names)),
        }
    }

    /// The record in a row.
    pub fn record(&self, cells: &[String]) -> Result<Record, String> {
        if cells.len() != self.0.len() {
            return Err(format!("it has {} cells, the first line has {}", cells.len(), self.0.len()));
        }
        let cell = |name: &str| {
            let at = self.0.iter().position(|known| known == name);
            at.map_or(String::new(), |at| cells[at].clone())
        };
        let some = |name: &str| Some(cell(name)).filter(|text| !text.is_empty());
        let author = Person { id: cell("author_id"), username: cell("author"), name: String::new() };
        let edited = some("edited").map(|time| Edited { time, by: author.clone() });
        Ok(Record {
            id: cell("id"),
            room: cell("room"),
            time: cell("time"),
            trusted: cell("trusted") == "true",
            author,
            kind: some("kind").unwrap_or_else(|| "said".to_owned()),
            text: cell("text"),
            thread: some("thread"),
            edited,
            ..Record::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_and_none_of_them_calculates() {
        let nasty = [
            "=1+2",
            "+49",
            "-5",
            "@SUM(A1)",
            "\tx",
            "'=x",
            "'quoted'",
            "a,b",
            "say \"hi\"",
            "two\r\nlines",
            "",
        ];
        let mut out = Vec::new();
        row(&nasty.map(str::to_owned), &mut out);
        let text = String::from_utf8(out).expect("text");
        let line = text.strip_suffix("\r\n").expect("a row ends so");
        assert_eq!(cells(line).expect("it reads"), nasty);
        for cell in ["=1+2", "+49", "-5", "@SUM(A1)", "\tx"] {
            assert!(quoted(cell).starts_with("\"'"), "{cell}");
        }
        assert_eq!(cells("a,\"b\"c"), None);
        assert_eq!(cells("\"open"), None);
    }
}
