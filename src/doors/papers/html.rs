//! An export as one page: it needs nothing from elsewhere, and runs nothing.

use super::record::Record;

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\"><title>Messages</title>
<style>body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}article{margin:.6em 0}
time,small{color:#666;font-size:.8em}p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}.thread{margin-left:2em}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}</style></head><body>
";

/// What stands before the first room.
pub fn head(out: &mut Vec<u8>) {
    out.extend_from_slice(HEAD.as_bytes());
}

/// The title of a room.
pub fn room(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("<h1>{}</h1>\n", escaped(name)).as_bytes());
}

/// A message, on one line but for the breaks of its text.
pub fn message(record: &Record, out: &mut Vec<u8>) {
    let class = if record.thread.is_some() { " class=\"thread\"" } else { "" };
    let doubt = if record.trusted { "" } else { " (the clock was not set)" };
    let mut small = String::new();
    if let Some(edited) = &record.edited {
        small += &format!(" edited {}", escaped(&edited.time));
    }
    for reaction in &record.reactions {
        small += &format!(" :{}: {}", escaped(&reaction.emoji), reaction.by.len());
    }
    let small = if small.is_empty() { small } else { format!("<small>{}</small>", small.trim_start()) };
    let (time, author) = (escaped(&record.time), escaped(record.shown_author()));
    let (kept, text) = (escaped(&record.line()), escaped(&record.shown_text()));
    let line = format!(
        "<article{class} data-record=\"{kept}\"><b>{author}</b> <time>{time}{doubt}</time><p>{text}</p>{small}</article>\n"
    );
    out.extend_from_slice(line.as_bytes());
}

/// What stands behind the last message.
pub fn tail(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</body></html>\n");
}

/// Text that stays text wherever it stands in the page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// The record in a line of a page that linnet made; `None` for every other line.
pub fn record_in(line: &str) -> Option<Result<Record, serde_json::Error>> {
    let rest = line.trim_start().strip_prefix("<article")?;
    let (before, rest) = rest.split_once(" data-record=\"")?;
    let (value, _) = rest.split_once('"').filter(|_| !before.contains('>'))?;
    let text = ["&quot;", "&#39;", "&lt;", "&gt;", "&amp;"]
        .iter()
        .zip(["\"", "'", "<", ">", "&"])
        .fold(value.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(serde_json::from_str(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_text_and_comes_back_whole() {
        let nasty =
            "</p><script>alert('1')</script>\n&amp;lt; \"quoted\" \u{1b}[2J <article data-record=\"x\">";
        let mut record =
            Record { text: nasty.into(), time: "2024-05-01T12:00:00.000Z".into(), ..Record::default() };
        record.author.username = "<b>mallory".into();
        record.kind = "said".into();
        let mut out = Vec::new();
        message(&record, &mut out);
        let page = String::from_utf8(out).expect("text");
        assert!(
            !page.contains("<script") && !page.contains("<b>mallory") && !page.contains('\u{1b}'),
            "{page}"
        );
        let found: Vec<_> = page.lines().filter_map(record_in).collect();
        assert_eq!(found.len(), 1, "{page}");
        assert_eq!(found[0].as_ref().ok(), Some(&record));
    }
}
