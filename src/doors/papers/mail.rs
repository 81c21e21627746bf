//! What mail makes of text: quoted-printable bodies, encoded words in headers, dates and ids.

use crate::base::date::{DAY_MS, civil};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Characters of one line of a quoted-printable body, by RFC 2045.
const LINE_CHARS: usize = 76;

/// `Wed, 01 May 2024 12:00:00 +0000`, and as the line between two messages has it: `Wed May  1 12:00:00 2024`.
pub fn dates(ms: u64) -> (String, String) {
    let (year, month, day) = civil(ms / DAY_MS);
    let (weekday, month) = (DAYS[(ms / DAY_MS % 7) as usize], MONTHS[month as usize - 1]);
    let clock = format!("{:02}:{:02}:{:02}", ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1_000 % 60);
    (
        format!("{weekday}, {day:02} {month} {year:04} {clock} +0000"),
        format!("{weekday} {month} {day:>2} {clock} {year:04}"),
    )
}

/// The moment of a `Date` header, as the ISO form that other papers have.
pub fn iso_of(date: &str) -> Option<String> {
    let date = date.split_once(", ").map_or(date, |(_, rest)| rest);
    let mut words = date.split_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))? + 1;
    let (clock, offset) = (words.next()?, words.next().unwrap_or("+0000"));
    let offset = if offset.starts_with(['+', '-']) { offset } else { "Z" };
    Some(format!("{year}-{month:02}-{:02}T{clock}{offset}", day.parse::<u32>().ok()?))
}

/// Text as a quoted-printable body: ASCII, short lines, and none that a mailbox takes for the next message.
pub fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    for line in text.split('\n') {
        let mut width = 0;
        let bytes = line.trim_end_matches('\r').as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let is_last = at + 1 == bytes.len();
            let begins_from = at == 0 && bytes.starts_with(b"From ");
            let plain = (byte.is_ascii_graphic() && *byte != b'=' && *byte != b'.'
                || *byte == b' ' && !is_last)
                && !begins_from;
            let coded = if plain { char::from(*byte).to_string() } else { format!("={byte:02X}") };
            if width + coded.len() >= LINE_CHARS {
                out.push_str("=\n");
                width = 0;
            }
            width += coded.len();
            out.push_str(&coded);
        }
        out.push('\n');
    }
    out
}

/// The bytes of a quoted-printable text; what is none of it stays as it is.
pub fn from_quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.split_inclusive('\n') {
        let (body, end) = match line.strip_suffix('\n') {
            Some(body) => (body.trim_end_matches('\r').trim_end(), "\n"),
            None => (line.trim_end(), ""),
        };
        let (body, end) = body.strip_suffix('=').map_or((body, end), |soft| (soft, ""));
        decode(body, '=', &mut out);
        out.extend_from_slice(end.as_bytes());
    }
    out
}

fn decode(text: &str, mark: char, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        out.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(mark as u8);
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
}

/// Text as a header takes it: as it is when it is plain ASCII, else as encoded words.
pub fn header_text(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !text.contains("=?");
    if plain {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        let coded: String = match letter {
            letter if letter.is_ascii_alphanumeric() => letter.to_string(),
            letter => letter.to_string().bytes().map(|byte| format!("={byte:02X}")).collect(),
        };
        if word.len() + coded.len() > 60 {
            words.push(std::mem::take(&mut word));
        }
        word += &coded;
    }
    words.push(word);
    words.iter().map(|word| format!("=?UTF-8?Q?{word}?=")).collect::<Vec<_>>().join("\n ")
}

/// A header's text with its encoded words read; those in other alphabets stay as they are.
pub fn from_header_text(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(4, '?');
        let (charset, coding, word) = (parts.next(), parts.next(), parts.next());
        let behind = parts.next().and_then(|behind| behind.strip_prefix('='));
        let utf8 = charset.is_some_and(|name| ["utf-8", "us-ascii"].contains(&name.to_lowercase().as_str()));
        match (coding, word, behind) {
            (Some("Q" | "q"), Some(word), Some(behind)) if utf8 => {
                // White space between two encoded words is none of the text.
                if !before.trim().is_empty() || out.is_empty() {
                    out.extend_from_slice(before.as_bytes());
                }
                decode(&word.replace('_', " "), '=', &mut out);
                rest = behind;
            }
            _ => {
                out.extend_from_slice(before.as_bytes());
                out.extend_from_slice(b"=?");
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

/// An id as the left side of a `Message-ID` takes it.
pub fn atom(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    id.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("={byte:02X}") })
        .collect()
}

/// The id in a `Message-ID` that linnet wrote; the whole of another's, as far as an id takes it.
pub fn from_message_id(text: &str) -> String {
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    match inner.split_once('@').filter(|(_, domain)| domain.ends_with(".linnet.invalid")) {
        Some((left, _)) => {
            let mut bytes = Vec::new();
            decode(left, '=', &mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        None => inner.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_from_a_mail() {
        for text in
            ["", "plain", "From here\nFrom there", "grün =3D 𝄞", "a \nb\t", ".\n..", &"long ".repeat(400)]
        {
            let coded = quoted_printable(text);
            assert!(coded.is_ascii() && coded.lines().all(|line| line.len() <= LINE_CHARS), "{coded}");
            assert!(!coded.lines().any(|line| line.starts_with("From ")), "{coded}");
            let read = String::from_utf8(from_quoted_printable(&coded)).expect("text");
            assert_eq!(read.strip_suffix('\n'), Some(text));
            let header = header_text(text);
            assert!(header.is_ascii(), "{header}");
        }
        assert_eq!(
            from_header_text(&header_text("Jürgen, der Gärtner aus dem wunderschönen Grünwald bei München")),
            "Jürgen, der Gärtner aus dem wunderschönen Grünwald bei München"
        );
        assert_eq!(from_message_id(&format!("<{}@00.linnet.invalid>", atom("a.b@c<>"))), "a.b@c<>");
    }

    #[test]
    fn dates_come_back_to_the_second() {
        for ms in [0, 951_782_400_000, 1_714_564_800_000] {
            let (header, _) = dates(ms);
            assert_eq!(iso_of(&header).and_then(|iso| crate::base::date::parse(&iso)), Some(ms), "{header}");
        }
        assert_eq!(dates(1_714_564_800_000).1, "Wed May  1 12:00:00 2024");
    }
}
