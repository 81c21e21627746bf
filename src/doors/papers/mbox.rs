//! Mailboxes by RFC 4155 with messages by RFC 5322, written for mail programs and read from them.

use super::mail::{
    atom, dates, from_header_text, from_message_id, from_quoted_printable, header_text, iso_of,
    quoted_printable,
};
use super::record::{Person, Record};
use crate::base::date::parse;

/// A message of a node with this number.
pub fn message(record: &Record, node: u64, out: &mut Vec<u8>) {
    let (date, between) = dates(parse(&record.time).unwrap_or(0));
    let domain = format!("{node:016x}.linnet.invalid");
    let mailbox = format!("{}@{domain}", atom(&record.author.username));
    let id = |id: &str| format!("<{}@{domain}>", atom(id));
    let name = record.shown_author().replace(['"', '\\'], "'");
    let name = if name.is_ascii() { format!("\"{}\"", header_text(&name)) } else { header_text(&name) };
    let mut head = format!("From {mailbox} {between}\nDate: {date}\nFrom: {name} <{mailbox}>\n");
    head += &format!("Subject: {}\nMessage-ID: {}\n", header_text(&record.room), id(&record.id));
    if let Some(thread) = &record.thread {
        head += &format!("In-Reply-To: {0}\nReferences: {0}\n", id(thread));
    }
    head += &format!("X-Linnet-Time: {}\nX-Linnet-Trusted: {}\n", record.time, record.trusted);
    head += &format!("X-Linnet-Author: {} {}\n", record.author.username, record.author.id);
    if record.kind != "said" {
        head += &format!("X-Linnet-Kind: {}\n", record.kind);
    }
    head += "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n";
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(quoted_printable(&record.text).as_bytes());
    out.push(b'\n');
}

/// Headers of a message: names in lower case, folded lines joined.
pub fn headers(lines: &[String]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

/// The record of a message: its head's lines and its body's.
pub fn record(head: &[String], body: &[String]) -> Result<Record, String> {
    let headers = headers(head);
    let header =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let content = header("content-type").unwrap_or("text/plain").to_lowercase();
    if !content.starts_with("text/plain") {
        return Err(format!(
            "its content is {}: only plain text is taken",
            content.split(';').next().unwrap_or_default()
        ));
    }
    let time = header("x-linnet-time").map(str::to_owned).or_else(|| header("date").and_then(iso_of));
    let from = from_header_text(header("from").ok_or("it has no header From")?);
    let author = match header("x-linnet-author").and_then(|author| author.split_once(' ')) {
        Some((username, id)) => Person { id: id.into(), username: username.into(), name: String::new() },
        None => Person { id: String::new(), username: sender(&from), name: String::new() },
    };
    let body: Vec<&str> = body.iter().map(|line| unescaped(line)).collect();
    // One empty line stands between two messages.
    let body = body.join("\n");
    let text = match header("content-transfer-encoding").unwrap_or("8bit").to_lowercase().as_str() {
        "quoted-printable" => {
            let bytes = from_quoted_printable(&body);
            String::from_utf8(bytes).map_err(|_| "its text is not UTF-8".to_owned())?
        }
        "7bit" | "8bit" | "binary" => body,
        other => return Err(format!("its text is encoded as {other}, which is not taken")),
    };
    Ok(Record {
        id: header("message-id").map(from_message_id).unwrap_or_default(),
        room: header("subject").map(from_header_text).unwrap_or_default(),
        time: time.ok_or("it has no header Date that can be read")?,
        trusted: header("x-linnet-trusted") == Some("true"),
        author,
        kind: header("x-linnet-kind").unwrap_or("said").to_owned(),
        text: text.strip_suffix('\n').unwrap_or(&text).to_owned(),
        thread: header("in-reply-to").map(from_message_id),
        ..Record::default()
    })
}

/// The name of a sender, without quotes and address; the address when there is no name.
fn sender(from: &str) -> String {
    let (name, address) = from.split_once('<').unwrap_or((from, from));
    let name = name.trim().trim_matches('"').trim();
    if name.is_empty() { address.trim_end_matches('>').to_owned() } else { name.to_owned() }
}

/// A line of a body as it was before a mailbox took it in: `>From ` was `From `.
fn unescaped(line: &str) -> &str {
    let behind = line.trim_start_matches('>');
    if behind.len() < line.len() && behind.starts_with("From ") { &line[1..] } else { line }
}
