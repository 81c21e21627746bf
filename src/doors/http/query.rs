//! What stands in addresses and forms: percent-decoding with bounds.

use crate::base::limits::{QUERY_BYTES_MAX, QUERY_PAIRS_MAX};
use crate::doors::http::reply::Problem;

/// The pairs of a query or a form, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The pairs of a query string. Too long or too many is a problem, broken encoding too.
    pub fn parse(raw: &str) -> Result<Query, Problem> {
        if raw.len() > QUERY_BYTES_MAX {
            return Err(Problem::error(format!("The query is too long: at most {QUERY_BYTES_MAX} bytes")));
        }
        Query::parse_form(raw)
    }

    /// As [`Query::parse`] for a form, whose length its route has bounded.
    pub fn parse_form(raw: &str) -> Result<Query, Problem> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() >= QUERY_PAIRS_MAX {
                return Err(Problem::error(format!("Too many parameters: at most {QUERY_PAIRS_MAX}")));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(key, true).zip(decode(value, true));
            let what = "A parameter is not percent-encoded UTF-8";
            pairs.push(decoded.ok_or_else(|| Problem::error(what))?);
        }
        Ok(Query(pairs))
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of a key, written as `key=a&key=b` or `key[]=a&key[]=b`.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let fits = move |name: &str| name == key || name.strip_suffix("[]") == Some(key);
        self.0.iter().filter(move |(name, _)| fits(name)).map(|(_, value)| value.as_str())
    }

    /// The number of a key; `None` when it is absent or no number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }

    /// Whether a key says `true` or `1`.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }

    /// All pairs.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A segment of a path as text.
pub fn decode_segment(raw: &str) -> Option<String> {
    decode(raw, false)
}

fn decode(raw: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'%' => {
                let (hex, after) = rest.split_at_checked(2)?;
                rest = after;
                nibble(hex[0])? << 4 | nibble(hex[1])?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_clients_write_it() {
        let query = Query::parse("roomId=a%2Fb&ids[]=1&ids%5B%5D=2&q=x+y&unreads=true&=&bare").ok().unwrap();
        assert_eq!(query.get("roomId"), Some("a/b"));
        assert_eq!(query.all("ids").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("q"), Some("x y"));
        assert!(query.flag("unreads") && !query.flag("bare"));
        assert_eq!(decode_segment("a+b%00"), Some("a+b\0".into()));
    }

    #[test]
    fn broken_encoding_and_excess_are_problems() {
        for bad in ["a=%", "a=%2", "a=%zz", "%ff=1", &"&a=1".repeat(QUERY_PAIRS_MAX + 1)] {
            assert!(Query::parse_form(bad).is_err(), "{bad:.20} passed");
        }
        assert!(Query::parse(&"a".repeat(QUERY_BYTES_MAX + 1)).is_err());
    }
}
