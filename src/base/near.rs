//! The known word somebody probably meant. Nothing here knows what the words are for.

use super::limits::NEAR_WORD_CHARS_MAX;

/// The closest of `known` to `word`, when it is close enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    if letters == 0 || letters > NEAR_WORD_CHARS_MAX {
        return None;
    }
    let slips_max = (letters / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (slips(word, candidate), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// Letters inserted, dropped, replaced or swapped with their neighbour to get from one word to the other.
fn slips(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().flat_map(char::to_lowercase).collect();
    let to: Vec<char> = to.chars().flat_map(char::to_lowercase).take(NEAR_WORD_CHARS_MAX + 8).collect();
    let mut two_back: Vec<usize> = Vec::new();
    let mut back: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let replaced = back[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = replaced.min(back[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(two_back[j - 2] + 1);
            }
        }
        two_back = std::mem::replace(&mut back, row);
    }
    back[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["http.address", "http.hosts", "access", "data"];

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        for (word, meant) in [
            ("http.adress", "http.address"),
            ("http.host", "http.hosts"),
            ("acess", "access"),
            ("daat", "data"),
            ("ACCESS", "access"),
        ] {
            assert_eq!(nearest(word, KNOWN), Some(meant), "{word}");
        }
    }

    #[test]
    fn another_word_finds_nothing() {
        for word in ["", "colour", "x", &"a".repeat(5_000)] {
            assert_eq!(nearest(word, KNOWN), None, "{word}");
        }
    }
}
