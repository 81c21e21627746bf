//! Just enough of JavaScript's grammar to count its functions.

use super::rust::{Function, Token, block_end, tokens};

/// Words before a parenthesis that make what follows a block, not a function.
const BLOCK_WORDS: [&str; 7] = ["if", "for", "while", "switch", "catch", "with", "await"];

/// Words after which a slash begins a pattern, not a division.
const BEFORE_PATTERN: [&str; 7] = ["return", "typeof", "case", "in", "of", "void", "throw"];

/// Every function, method and arrow with a body.
pub fn functions(text: &str) -> Vec<Function> {
    let tokens = tokens(&mask(text));
    let opens = (1..tokens.len()).filter(|at| tokens[*at].text == "{");
    let function = |open: usize| {
        let head = head(&tokens, open)?;
        let (first, last) = (tokens[head].line, tokens[block_end(&tokens, open)].line);
        Some(Function { name: tokens[head].text.clone(), line: first, lines: last - first + 1 })
    };
    opens.filter_map(function).collect()
}

/// Where the function begins whose body opens at `open`.
fn head(tokens: &[Token], open: usize) -> Option<usize> {
    match tokens[open - 1].text.as_str() {
        "=>" => Some(open - 1),
        ")" => {
            let before = parenthesis_start(tokens, open - 1)?.checked_sub(1)?;
            (!BLOCK_WORDS.contains(&tokens[before].text.as_str())).then_some(before)
        }
        _ => None,
    }
}

fn parenthesis_start(tokens: &[Token], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (0..=close).rev() {
        match tokens[at].text.as_str() {
            ")" => depth += 1,
            "(" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The text with comments, strings, patterns and the words of templates blanked.
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = Masked { out: String::with_capacity(text.len()), holes: Vec::new() };
    let mut at = 0;
    while at < chars.len() {
        let end = masked.blank_end(&chars, at);
        if end == at {
            masked.out.push(chars[at]);
            at += 1;
            continue;
        }
        masked.out.extend(chars[at..end].iter().map(|char| if *char == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    masked.out
}

struct Masked {
    out: String,
    /// For each template we are inside of, how many braces are open in its `${`.
    holes: Vec<usize>,
}

impl Masked {
    /// Where the text that begins at `at` and is no code ends; `at` itself for code.
    fn blank_end(&mut self, chars: &[char], at: usize) -> usize {
        match chars[at..] {
            ['/', '/', ..] => find(chars, at, &['\n']),
            ['/', '*', ..] => block_comment_end(chars, at + 2),
            ['/', ..] if self.expects_pattern() => pattern_end(chars, at + 1),
            [quote @ ('"' | '\''), ..] => find(chars, at + 1, &[quote, '\n']) + 1,
            ['`', ..] => self.template_end(chars, at + 1),
            ['}', ..] if self.holes.last() == Some(&0) => {
                self.holes.pop();
                self.template_end(chars, at + 1)
            }
            [brace @ ('{' | '}'), ..] => {
                if let Some(open) = self.holes.last_mut() {
                    *open = if brace == '{' { *open + 1 } else { *open - 1 };
                }
                at
            }
            _ => at,
        }
        .min(chars.len())
    }

    fn template_end(&mut self, chars: &[char], mut at: usize) -> usize {
        while at < chars.len() {
            match chars[at..] {
                ['`', ..] => return at + 1,
                ['$', '{', ..] => {
                    self.holes.push(0);
                    return at + 2;
                }
                ['\\', ..] => at += 2,
                _ => at += 1,
            }
        }
        at
    }

    fn expects_pattern(&self) -> bool {
        let before = self.out.trim_end();
        let word: String = before.chars().rev().take_while(|char| char.is_alphanumeric()).collect();
        let word: String = word.chars().rev().collect();
        let last = before.chars().next_back();
        let after_mark = last.is_none_or(|last| "(,=:[!&|?{};+-*%~^<>".contains(last));
        after_mark || BEFORE_PATTERN.contains(&word.as_str())
    }
}

fn find(chars: &[char], mut at: usize, wanted: &[char]) -> usize {
    while at < chars.len() && !wanted.contains(&chars[at]) {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    (from..chars.len()).find(|at| chars[*at..].starts_with(&['*', '/'])).map_or(chars.len(), |at| at + 2)
}

/// A slash inside `[...]` does not end a pattern.
fn pattern_end(chars: &[char], mut at: usize) -> usize {
    let mut in_class = false;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return at + 1,
            '\n' => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, usize)]) {
        let found = functions(text);
        let found: Vec<(&str, usize)> =
            found.iter().map(|found| (found.name.as_str(), found.lines)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn functions_end_at_their_own_brace() {
        check("function a(x = {}) {\n  if (x) {\n  }\n}\n}", &[("a", 4)]);
        check("class C {\n  m() {\n  }\n  get x() { return 1; }\n}", &[("m", 2), ("x", 1)]);
        check("const f = async (x) => {\n  for (const y of x) { }\n};", &[("=>", 3)]);
        check("function a() { return `}${x ? `{` : '}'}}`; }\n}", &[("a", 1)]);
        check("function a() { return /[/}]}\\/{/.test(b) / 2; } // }\n}", &[("a", 1)]);
        check("function a() { return '}' + \"\\\"}\" /* } */; }\n}", &[("a", 1)]);
        check("const o = { a: 1, b: (c) => ({ d: 1 }) };", &[]);
    }

    #[test]
    fn text_that_ends_too_early_is_read_to_its_end() {
        for text in ["`", "`${", "/*", "'", "'\\", "/a", "(a) => {", "{", ") {", "x = /["] {
            functions(text);
        }
    }
}
