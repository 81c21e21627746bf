//! Topics and filters of publish and subscribe. Parsed once, carried as proof that they are well formed.
//!
//! The rules are those of MQTT 5.0, section 4.7: levels between slashes, `+` for one level, `#` for this and all below;
//! no wildcard at the beginning matches a topic that starts with `$`.

use crate::base::limits::{TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX};
use crate::chat::refusal::Refusal;
use smol_str::SmolStr;
use std::borrow::Borrow;
use std::fmt;

/// What a publication is about: 1 to [`TOPIC_BYTES_MAX`] bytes in at most [`TOPIC_LEVELS_MAX`] levels, no wildcard, no
/// NUL.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(SmolStr);

impl Topic {
    /// Parses a topic's name; [`Refusal::Invalid`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        well_formed("topic", text)?;
        if text.contains(['+', '#']) {
            let want = "a name without + and #, which are for filters";
            return Err(Refusal::Invalid { what: "topic", want });
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// A topic fixed in the program's text.
    pub const fn fixed(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which topics somebody wants or may have: as [`Topic`], with `+` for a whole level and `#` for the last.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter(SmolStr);

impl Filter {
    /// Parses a filter; [`Refusal::Invalid`] says what is wrong. `$share/...` is no filter: the door takes it apart.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        well_formed("topic filter", text)?;
        let mut levels = text.split('/').peekable();
        while let Some(level) = levels.next() {
            let wild = level.contains(['+', '#']);
            if wild && level.len() > 1 {
                let want = "+ and # each alone between slashes";
                return Err(Refusal::Invalid { what: "topic filter", want });
            }
            if level == "#" && levels.peek().is_some() {
                return Err(Refusal::Invalid { what: "topic filter", want: "# only as the last level" });
            }
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// A filter fixed in the program's text.
    pub const fn fixed(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// The filter as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches only one topic.
    pub fn is_literal(&self) -> bool {
        !self.0.contains(['+', '#'])
    }

    /// What all topics it matches begin with.
    pub fn literal_beginning(&self) -> &str {
        let wild = self.0.find(['+', '#']).unwrap_or(self.0.len());
        // `a/#` matches `a` as well.
        let end = if self.0[wild..].starts_with('#') { wild.saturating_sub(1) } else { wild };
        &self.0[..end]
    }

    /// Whether it matches this topic.
    pub fn matches(&self, topic: &Topic) -> bool {
        covers(&self.0, &topic.0)
    }

    /// Whether it matches every topic that the other matches.
    pub fn covers(&self, other: &Filter) -> bool {
        covers(&self.0, &other.0)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A literal filter is found by the topic it matches.
impl Borrow<str> for Filter {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A topic is a filter that matches only itself.
impl From<&Topic> for Filter {
    fn from(topic: &Topic) -> Self {
        Self(topic.0.clone())
    }
}

fn well_formed(what: &'static str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::Invalid { what, want: "at least one character" });
    }
    if text.len() > TOPIC_BYTES_MAX {
        return Err(Refusal::TooLarge { what, max: TOPIC_BYTES_MAX });
    }
    if text.contains('\0') {
        return Err(Refusal::Invalid { what, want: "text without NUL" });
    }
    if text.split('/').count() > TOPIC_LEVELS_MAX {
        return Err(Refusal::TooMany { what: "levels of a topic", max: TOPIC_LEVELS_MAX });
    }
    Ok(())
}

/// `wanted` may hold wildcards itself: then all it stands for must be matched.
fn covers(filter: &str, wanted: &str) -> bool {
    if wanted.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut wanted = wanted.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match (level, wanted.next()) {
            // Only a last level of `#` matches one level less.
            (_, None | Some("#")) => return false,
            ("+", Some(_)) => {}
            (level, Some(wanted)) if level == wanted => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn filters_match_as_the_specification_says() {
        let matched = [
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("#", "a"),
            ("+/+", "/a"),
            ("/+", "/a"),
            ("+", "a"),
            ("a/+/c", "a//c"),
            ("$SYS/#", "$SYS/uptime"),
        ];
        for (wild, topic) in matched {
            assert!(filter(wild).matches(&Topic::parse(topic).unwrap()), "{wild} {topic}");
        }
        let apart =
            [("a/b", "a/B"), ("a/+", "a"), ("a/+", "a/b/c"), ("+", "/a"), ("#", "$SYS/a"), ("+/a", "$SYS/a")];
        for (wild, topic) in apart {
            assert!(!filter(wild).matches(&Topic::parse(topic).unwrap()), "{wild} {topic}");
        }
    }

    #[test]
    fn a_filter_covers_what_can_never_widen_it() {
        for (right, wanted) in
            [("a/#", "a/+/b"), ("a/#", "a/#"), ("a/+", "a/+"), ("+/b", "a/b"), ("#", "+/#")]
        {
            assert!(filter(right).covers(&filter(wanted)), "{right} {wanted}");
        }
        for (right, wanted) in
            [("a/b", "a/+"), ("a/+", "a/#"), ("a/+/#", "a/#"), ("+/b", "#"), ("#", "$SYS/#"), ("a", "a/#")]
        {
            assert!(!filter(right).covers(&filter(wanted)), "{right} {wanted}");
        }
    }

    #[test]
    fn whatever_a_covered_filter_matches_its_cover_matches() {
        let levels = ["a", "b", "+", "#", "$x", ""];
        let mut filters = Vec::new();
        for one in levels {
            for two in levels {
                for three in levels {
                    filters.extend(Filter::parse(one).ok());
                    filters.extend(Filter::parse(&format!("{one}/{two}")).ok());
                    filters.extend(Filter::parse(&format!("{one}/{two}/{three}")).ok());
                }
            }
        }
        filters.sort();
        filters.dedup();
        let topics: Vec<Topic> = filters.iter().filter_map(|f| Topic::parse(f.as_str()).ok()).collect();
        // Levels that no filter names stand for all others.
        let others =
            ["z", "a/z", "z/a", "a/z/b", "a/b/z", "z/z", "z/z/z", "a/b/a/z", "$x/z", "$x/a/z", "a/a/a/a"];
        let topics: Vec<_> = topics.into_iter().chain(others.map(|t| Topic::parse(t).unwrap())).collect();
        for right in &filters {
            for wanted in filters.iter() {
                let all = topics.iter().all(|topic| !wanted.matches(topic) || right.matches(topic));
                assert!(!right.covers(wanted) || all, "{right} widens to {wanted}");
            }
            let beginning = right.literal_beginning();
            assert!(topics.iter().all(|t| !right.matches(t) || t.as_str().starts_with(beginning)), "{right}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused_with_a_reason() {
        for text in ["", "a\0b", "a+", "a/#/b", "#a", "a/b+/c"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        for text in ["", "a/+", "#", "\0"] {
            assert!(Topic::parse(text).is_err(), "{text}");
        }
        assert!(Topic::parse(&"a".repeat(TOPIC_BYTES_MAX + 1)).is_err());
        assert!(Filter::parse(&"/".repeat(TOPIC_LEVELS_MAX)).is_err());
    }
}
