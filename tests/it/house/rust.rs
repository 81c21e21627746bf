//! Just enough of Rust's grammar to count and to name: comments and literals away, words and braces left.

/// A word or a mark, and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// `fn`, `::`, `{`; every literal in quotes is `"`.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its `fn` stands.
    pub line: usize,
    /// From `fn` to the closing brace.
    pub lines: usize,
}

/// The text with comments blanked and every literal reduced to one `"`; lines stay where they are.
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let comment = comment_end(&chars, at);
        let literal = if comment.is_none() { literal_end(&chars, at) } else { None };
        let Some(end) = comment.or(literal) else {
            out.push(chars[at]);
            at += 1;
            continue;
        };
        out.push(if literal.is_some() { '"' } else { ' ' });
        out.extend(chars[at + 1..end].iter().map(|char| if *char == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn comment_end(chars: &[char], at: usize) -> Option<usize> {
    match chars[at..] {
        ['/', '/', ..] => Some(position(chars, at, |rest| rest[0] == '\n')),
        ['/', '*', ..] => Some(block_comment_end(chars, at)),
        _ => None,
    }
}

fn block_comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

/// The end of a string, raw string, byte string or character that begins here.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && is_word(chars[at - 1]) && chars[at] != '"' && chars[at] != '\'' {
        return None;
    }
    let prefix = chars[at..].iter().take_while(|char| matches!(char, 'b' | 'c' | 'r')).count();
    let prefix_text: String = chars[at..at + prefix].iter().collect();
    match prefix_text.as_str() {
        "" | "b" | "c" => quoted_end(chars, at + prefix),
        "r" | "br" | "cr" => raw_end(chars, at + prefix),
        _ => None,
    }
}

fn quoted_end(chars: &[char], at: usize) -> Option<usize> {
    match chars[at..] {
        ['"', ..] => Some(escaped_end(chars, at + 1, '"')),
        ['\'', '\\', ..] => Some(escaped_end(chars, at + 1, '\'')),
        ['\'', inside, '\'', ..] if inside != '\'' => Some(at + 3),
        // A lifetime, or a word that merely begins like a prefix.
        _ => None,
    }
}

fn escaped_end(chars: &[char], mut at: usize, quote: char) -> usize {
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|char| **char == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let closes =
        |rest: &[char]| rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#');
    Some((position(chars, at + hashes + 1, closes) + 1 + hashes).min(chars.len()))
}

fn position(chars: &[char], from: usize, found: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|at| found(&chars[*at..])).unwrap_or(chars.len())
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// The words and marks of a masked text.
pub fn tokens(masked: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in masked.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let bytes = match first {
                word if is_word(word) => rest.find(|char| !is_word(char)).unwrap_or(rest.len()),
                _ if ["::", "->", "=>"].iter().any(|mark| rest.starts_with(mark)) => 2,
                mark => mark.len_utf8(),
            };
            tokens.push(Token { text: rest[..bytes].to_owned(), line: index + 1 });
            rest = rest[bytes..].trim_start();
        }
    }
    tokens
}

/// Whether the tokens from `at` on read like this.
pub fn reads(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    let rest = tokens.get(at..).unwrap_or_default();
    rest.len() >= words.len() && rest.iter().zip(words).all(|(token, word)| token.text == *word)
}

/// Every function with a body, nested ones included.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let named =
        |at: &usize| tokens[*at].text == "fn" && tokens.get(at + 1).is_some_and(|next| is_name(&next.text));
    let starts = (0..tokens.len()).filter(named);
    let function = |at: usize| {
        let close = block_end(tokens, block_start(tokens, at + 2)?);
        let (first, last) = (tokens[at].line, tokens[close].line);
        Some(Function { name: tokens[at + 1].text.clone(), line: first, lines: last - first + 1 })
    };
    starts.filter_map(function).collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The brace that opens the body of the item which is being declared at `at`; none if it ends with `;`.
pub fn block_start(tokens: &[Token], mut at: usize) -> Option<usize> {
    let (mut round, mut angle) = (0_i32, 0_i32);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "(" | "[" => round += 1,
            ")" | "]" => round -= 1,
            "<" if round == 0 => angle += 1,
            ">" if round == 0 => angle -= 1,
            "{" if round == 0 && angle <= 0 => return Some(at),
            // A constant in a type, as in `[u8; { 4 }]`.
            "{" => at = block_end(tokens, at),
            ";" if round == 0 && angle <= 0 => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The brace that closes the one at `open`.
pub fn block_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

/// First and last line of everything that is compiled for tests only.
pub fn test_ranges(tokens: &[Token]) -> Vec<(usize, usize)> {
    let attributes = (0..tokens.len()).filter(|at| reads(tokens, *at, &["#", "["]));
    let tested = attributes.filter_map(|at| {
        let close = (at + 2..tokens.len()).find(|close| tokens[*close].text == "]")?;
        is_test_attribute(&tokens[at + 2..close]).then_some((at, close + 1))
    });
    tested.map(|(at, item)| (tokens[at].line, tokens[item_end(tokens, item)].line)).collect()
}

fn is_test_attribute(words: &[Token]) -> bool {
    let has = |word: &str| words.iter().any(|token| token.text == word);
    let is_cfg = reads(words, 0, &["cfg"]) && has("test") && !has("not");
    is_cfg || words.last().is_some_and(|last| last.text == "test")
}

fn item_end(tokens: &[Token], at: usize) -> usize {
    if let Some(open) = block_start(tokens, at) {
        return block_end(tokens, open);
    }
    (at..tokens.len()).find(|at| tokens[*at].text == ";").unwrap_or(tokens.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Vec<(String, usize)> {
        let found = functions(&tokens(&mask(text)));
        found.into_iter().map(|function| (function.name, function.lines)).collect()
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let cases = [
            r#"fn a() { "}" }"#,
            r##"fn a() { r#"} " }"# }"##,
            r#"fn a() { br"\" ; b"\"}" }"#,
            r"fn a() { '}' ; '\'' ; b'}' ; '\u{7d}' }",
            "fn a() { /* } /* } */ } */ }",
            "fn a<'a>(x: &'a str) -> &'a str { x }",
            "fn a() where [u8; { 1 + 1 }]: Sized, { }",
            "fn a() -> Holds<{ 4 }> { }",
            "fn a(f: fn(u8) -> u8) -> impl Fn(u8) -> [u8; 2] { }",
            r#"fn a() { let r#type = "r#\""; }"#,
            "fn a() { macro_rules! m { ($x:ident) => { fn $x() {} } } }",
        ];
        for case in cases {
            // The function must end exactly here, or the line after it would be counted too.
            assert_eq!(lengths(&format!("{case}\n\n}}")), [("a".to_owned(), 1)], "{case}");
        }
    }

    #[test]
    fn a_function_is_counted_from_its_name_to_its_brace() {
        let text = "fn long(\n    a: u8,\n) {\n    // }\n    fn inner() {\n    }\n    \"}\n}\";\n}\ntrait T { fn none(&self); }";
        assert_eq!(lengths(text), [("long".to_owned(), 9), ("inner".to_owned(), 2)]);
    }

    #[test]
    fn text_that_ends_too_early_is_read_to_its_end() {
        for text in ["\"", "r#\"", "/*", "'", "'\\", "fn a() {", "fn", "b\"\\", "//"] {
            functions(&tokens(&mask(text)));
        }
    }

    #[test]
    fn what_is_compiled_for_tests_is_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[cfg(not(test))]\nfn c() {}\n#[tokio::test]\nasync fn d() {\n}\n#[cfg(test)]\nuse x::{y};";
        assert_eq!(test_ranges(&tokens(&mask(text))), [(2, 5), (8, 10), (11, 12)]);
    }
}
