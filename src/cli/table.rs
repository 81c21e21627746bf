//! Text for a terminal: columns that line up, times, and nothing that could steer the terminal.

use crate::base::date::civil;

/// Rows under a head line, each column as wide as its widest cell. An empty head leaves the line out.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
    let lines: Vec<Vec<String>> =
        Some(head).into_iter().filter(|head| !head.is_empty()).chain(rows).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("   ").trim_end());
        text.push('\n');
    }
    text
}

/// Text of somebody else without control characters: an escape sequence in a message must not reach the terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\t' => '\t',
        // These turn the direction of the line around and so could disguise it.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    text.chars().map(shown).collect()
}

/// `2025-11-22 14:35:02Z`.
pub(super) fn utc(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// `3 d 4 h`, `12 min`, `5 s`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=86_399 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `6 MB`, `850 KB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..=999_999 => format!("{} KB", count.div_ceil(1_000)),
        _ => format!("{} MB", (count + 500_000) / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_calendar_has_it() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_399, "2000-02-28 23:59:59Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (951_868_800, "2000-03-01 00:00:00Z"),
            (1_763_822_102, "2025-11-22 14:35:02Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
        ] {
            assert_eq!(utc(seconds * 1_000), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["porch".to_owned(), "garden".to_owned()], vec!["é".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["name", "room"], rows.into_iter()), "name    room\nporch   garden\né       x\n");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\x1b[2J\u{202e}b\tc\r"), "a\u{fffd}[2J\u{fffd}b\tc\u{fffd}");
    }
}
