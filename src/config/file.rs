//! One TOML file: its text, its lines, and its values with their places.

use super::origin::Origin;
use super::problem::Problem;
use super::settings::{Given, SETTINGS, setting};
use crate::base::limits::CONFIG_FILE_BYTES_MAX;
use crate::base::near::nearest;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that was read whole.
pub(super) struct File {
    pub path: PathBuf,
    pub text: String,
}

/// What a file says, in the order of its keys.
#[derive(Default)]
pub(super) struct Said {
    pub values: Vec<(&'static str, Given, Origin)>,
    pub bridges: Vec<(Vec<Entry>, Origin)>,
    pub binds: Vec<(Vec<Entry>, Origin)>,
    pub problems: Vec<Problem>,
}

/// One key of a `[[bridge]]` or `[[bind]]`.
pub(super) struct Entry {
    pub key: String,
    pub given: Given,
    pub origin: Origin,
}

impl File {
    /// Reads a file, within its limit.
    pub(super) fn read(path: &Path) -> Result<File, Problem> {
        let problem = |what: String| Problem { place: path.display().to_string(), what };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(CONFIG_FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| problem(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > CONFIG_FILE_BYTES_MAX {
            return Err(problem(format!(
                "longer than {CONFIG_FILE_BYTES_MAX} bytes: is this a settings file?"
            )));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| problem("not UTF-8 text: save it as UTF-8".to_owned()))?;
        Ok(File { path: path.to_owned(), text })
    }

    /// Everything the file says and everything wrong with how it says it.
    pub(super) fn said(&self) -> Said {
        let mut said = Said::default();
        match DeTable::parse(&self.text) {
            Ok(table) => self.walk("", table.get_ref(), &mut said),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                said.problems
                    .push(Problem::at(&self.origin(at), format!("not TOML: {}", one_line(error.message()))));
            }
        }
        said
    }

    fn walk(&self, section: &str, table: &DeTable<'_>, said: &mut Said) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let origin = self.origin(key.span().start);
            let path = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            match (setting(&path), value.get_ref()) {
                (Some(setting), value) => said.values.push((setting.key, given(value), origin)),
                (None, value) if path == "bridge" => {
                    let blocks = self.walk_blocks("bridge", value, (&origin, &mut said.problems));
                    said.bridges.extend(blocks);
                }
                (None, value) if path == "bind" => {
                    let blocks = self.walk_blocks("bind", value, (&origin, &mut said.problems));
                    said.binds.extend(blocks);
                }
                (None, DeValue::Table(inner)) if is_section(&path) => self.walk(&path, inner, said),
                (None, value) if is_section(&path) => {
                    let found = given(value).described();
                    said.problems.push(Problem::unfit(
                        &origin,
                        &path,
                        &found,
                        &format!("a section: [{path}]"),
                    ));
                }
                (None, _) => said.problems.push(Problem::at(&origin, unknown(&path))),
            }
        }
    }

    fn walk_blocks(
        &self,
        kind: &str,
        value: &DeValue<'_>,
        (origin, problems): (&Origin, &mut Vec<Problem>),
    ) -> Vec<(Vec<Entry>, Origin)> {
        let mut blocks = Vec::new();
        let tables = value.as_array().map(|list| list.iter().map(|item| (item, item.get_ref().as_table())));
        for (item, table) in tables.into_iter().flatten() {
            let Some(table) = table else {
                let what = format!("{kind} holds something else than a [[{kind}]] block");
                problems.push(Problem::at(origin, what));
                continue;
            };
            let entries = table.iter().map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                given: given(value.get_ref()),
                origin: self.origin(key.span().start),
            });
            blocks.push((entries.collect(), self.origin(item.span().start)));
        }
        if value.as_array().is_none() {
            let found = given(value).described();
            let expected = format!("[[{kind}]] with two brackets on each side");
            problems.push(Problem::unfit(origin, kind, &found, &expected));
        }
        blocks
    }

    fn origin(&self, byte: usize) -> Origin {
        let before = &self.text.as_bytes()[..byte.min(self.text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Origin::File { path: self.path.clone(), line }
    }
}

fn is_section(path: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// What to say about a key that is no setting.
fn unknown(path: &str) -> String {
    let leaf = path.rsplit('.').next().unwrap_or(path);
    // 'access' written below [http] is the usual slip: TOML takes it into the section.
    if path.contains('.') && setting(leaf).is_some() {
        return format!("unknown setting '{path}'; '{leaf}' belongs above the first [section]");
    }
    let keys = || SETTINGS.iter().map(|setting| setting.key);
    let same_leaf = keys().find(|key| key.ends_with(&format!(".{leaf}")));
    let sections =
        keys().filter_map(|key| key.split_once('.').map(|(section, _)| section)).chain(["bridge", "bind"]);
    match nearest(path, keys()).or(same_leaf).or_else(|| nearest(path, sections)) {
        Some(meant) => format!("unknown setting '{path}'; did you mean '{meant}'?"),
        None => format!("unknown setting '{path}'"),
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Given::Number(number),
            Err(_) => Given::Other("a number out of range".to_owned()),
        },
        DeValue::Array(list) => {
            let texts: Option<Vec<String>> =
                list.iter().map(Spanned::get_ref).map(|item| item.as_str().map(str::to_owned)).collect();
            texts.map_or_else(|| Given::Other("a list of something else than texts".to_owned()), Given::Texts)
        }
        DeValue::Boolean(word) => Given::Other(word.to_string()),
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Given::Float(number),
            Err(_) => Given::Other(format!("the number {}", number.as_str())),
        },
        DeValue::Datetime(time) => Given::Other(format!("the time {time}")),
        DeValue::Table(_) => Given::Other("a section".to_owned()),
    }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}
