//! Emoji: as characters, by their names between colons, and as faces of punctuation.

use super::Inline;

/// Faces, and the names of what they become. Longer ones stand before those that they begin with.
const FACES: &[(&str, &str)] = &[
    (":'-(", "cry"),
    (":'(", "cry"),
    (":')", "joy"),
    (":-)", "slight_smile"),
    (":)", "slight_smile"),
    (":-D", "smiley"),
    (":D", "smiley"),
    (":-(", "disappointed"),
    (":(", "disappointed"),
    (";-)", "wink"),
    (";)", "wink"),
    (":-P", "stuck_out_tongue"),
    (":P", "stuck_out_tongue"),
    (":-O", "open_mouth"),
    (":O", "open_mouth"),
    (":-*", "kissing_heart"),
    (":*", "kissing_heart"),
    (":-/", "confused"),
    (":/", "confused"),
    ("</3", "broken_heart"),
    ("<3", "heart"),
    ("8)", "sunglasses"),
    ("B)", "sunglasses"),
    ("-_-", "expressionless"),
];

/// The emoji that a text begins with, and its length in bytes. What stands around it is the caller's to look at.
pub fn at(text: &str) -> Option<(Inline, usize)> {
    short_code(text).or_else(|| unicode(text)).or_else(|| face(text))
}

/// `:name:`.
pub fn short_code(text: &str) -> Option<(Inline, usize)> {
    let rest = text.strip_prefix(':')?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_+-".contains(c))?;
    let name = &rest[..end];
    if name.is_empty() || !rest[end..].starts_with(':') {
        return None;
    }
    Some((Inline::Emoji { text: name.to_owned(), code: name.to_owned() }, end + 2))
}

/// `:)` and the like.
pub fn face(text: &str) -> Option<(Inline, usize)> {
    let (face, code) = FACES.iter().find(|(face, _)| text.starts_with(face))?;
    Some((Inline::Emoji { text: (*face).to_owned(), code: (*code).to_owned() }, face.len()))
}

/// A character that is an emoji, with what changes or joins it.
pub fn unicode(text: &str) -> Option<(Inline, usize)> {
    let mut chars = text.chars();
    let first = chars.next().filter(|c| is_emoji(*c))?;
    let mut end = first.len_utf8();
    let mut joined = false;
    let mut flag = is_flag_half(first);
    for c in chars {
        let goes_on = match c {
            '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => true,
            '\u{200d}' => {
                joined = true;
                end += c.len_utf8();
                continue;
            }
            c if joined => is_emoji(c),
            c => std::mem::take(&mut flag) && is_flag_half(c),
        };
        if !goes_on {
            break;
        }
        joined = false;
        end += c.len_utf8();
    }
    Some((Inline::Unicode(text[..end].to_owned()), end))
}

fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

fn is_emoji(c: char) -> bool {
    is_flag_half(c)
        || matches!(c,
            '\u{203c}' | '\u{2049}' | '\u{231a}'..='\u{231b}' | '\u{23cf}' | '\u{23e9}'..='\u{23f3}'
            | '\u{23f8}'..='\u{23fa}' | '\u{2600}'..='\u{27bf}' | '\u{2934}'..='\u{2935}'
            | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}'
            | '\u{1f004}' | '\u{1f0cf}' | '\u{1f18e}' | '\u{1f191}'..='\u{1f19a}' | '\u{1f300}'..='\u{1faff}')
}
