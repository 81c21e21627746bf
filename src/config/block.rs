//! The entries of a `[[bridge]]` or `[[bind]]`, taken out one by one.

use super::file::Entry;
use super::origin::{Origin, Row};
use super::problem::Problem;
use super::settings::{Given, quoted};
use crate::base::near::nearest;
use crate::chat::name::Name;

/// The entries of one block.
pub(super) struct Block<'a> {
    /// `bridge` or `bind`.
    pub kind: &'static str,
    pub entries: &'a [Entry],
    pub start: &'a Origin,
    pub rows: Vec<Row>,
    pub problems: &'a mut Vec<Problem>,
}

const ROOM: &str = "the name of a room, such as \"garden\"";

impl<'a> Block<'a> {
    pub fn of(
        kind: &'static str,
        entries: &'a [Entry],
        start: &'a Origin,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Block { kind, entries, start, rows: Vec::new(), problems }
    }

    /// Refuses what is none of these keys.
    pub fn refuse_unknown(&mut self, keys: &[&[&'static str]]) {
        let known = || keys.iter().flat_map(|keys| keys.iter().copied());
        for entry in self.entries.iter().filter(|entry| !known().any(|key| key == entry.key)) {
            let meant = nearest(&entry.key, known());
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean '{meant}'?"));
            let what = format!("unknown setting '{}.{}'{meant}", self.kind, entry.key);
            self.problems.push(Problem::at(&entry.origin, what));
        }
    }

    pub fn room(&mut self) -> Option<Name> {
        self.needed("room", ROOM, |text| Name::parse_room(text).map_err(|_| ROOM))
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub fn row(&mut self, key: &str, value: String, origin: Origin) {
        self.rows.push(Row { key: key.to_owned(), value, origin });
    }

    pub fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        let (given, origin) = (entry.given.clone(), entry.origin.clone());
        let parsed = match &given {
            Given::Text(text) => parse(text).map_err(str::to_owned),
            _ => Err(expected.to_owned()),
        };
        let secret = key == "password";
        let shown = if secret { "***".to_owned() } else { given.described() };
        match parsed {
            Ok(value) => {
                self.row(
                    key,
                    if let (Given::Text(text), false) = (&given, secret) { quoted(text) } else { shown },
                    origin,
                );
                Some(value)
            }
            Err(expected) => {
                self.problems.push(Problem::unfit(
                    &origin,
                    &format!("{}.{key}", self.kind),
                    &shown,
                    &expected,
                ));
                None
            }
        }
    }

    pub fn needed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        if self.entry(key).is_none() {
            let what = format!("this [[{}]] needs '{key}': {expected}", self.kind);
            self.problems.push(Problem::at(self.start, what));
        }
        self.optional(key, expected, parse)
    }

    /// A template, the usual one unless written.
    pub fn said<T>(
        &mut self,
        key: &'static str,
        usual: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (given, origin) = match self.entry(key) {
            Some(entry) => (entry.given.clone(), entry.origin.clone()),
            None => (Given::Text(usual.to_owned()), Origin::Default),
        };
        let parsed = match &given {
            Given::Text(text) => parse(text),
            _ => Err(format!("is {}; expected a text with fields", given.described())),
        };
        match (parsed, given) {
            (Ok(template), Given::Text(text)) => {
                self.row(key, quoted(&text), origin);
                Some(template)
            }
            (Err(what), _) => {
                self.problems.push(Problem::at(&origin, format!("{}.{key} {what}", self.kind)));
                None
            }
            (Ok(_), _) => None,
        }
    }

    /// One of a few values, the usual one unless written.
    pub fn chosen<T>(
        &mut self,
        key: &'static str,
        usual: Given,
        expected: &str,
        choose: impl Fn(&Given) -> Option<T>,
    ) -> Option<T> {
        let (given, origin) = match self.entry(key) {
            Some(entry) => (entry.given.clone(), entry.origin.clone()),
            None => (usual, Origin::Default),
        };
        let Some(chosen) = choose(&given) else {
            self.problems.push(Problem::unfit(
                &origin,
                &format!("{}.{key}", self.kind),
                &given.described(),
                expected,
            ));
            return None;
        };
        let shown = match given {
            Given::Number(number) => number.to_string(),
            given => given.described(),
        };
        self.row(key, shown, origin);
        Some(chosen)
    }
}
