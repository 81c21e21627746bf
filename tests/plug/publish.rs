//! What the benchmark's filler asks for: the text of a message.

/// Characters of a text.
const TEXT_CHARS: usize = 150;

/// The text of a message: its run and number, then words up to the length.
pub fn text(run: u32, number: usize) -> String {
    let words = "the heron stands in the reeds and waits for what the water brings; ";
    let mut text = format!("{run}-{number}- ");
    text.extend(words.chars().cycle().take(TEXT_CHARS.saturating_sub(text.len())));
    text
}
