//! The order of the places settings come from: defaults, file, `conf.d`, environment, flags.

use super::binding::Binds;
use super::bridge;
use super::file::File;
use super::origin::{Origin, Row};
use super::problem::{ConfigError, Problem};
use super::settings::{Given, SETTINGS, setting};
use super::{Config, DEFAULTS, Loaded, SYSTEM_FILE};
use crate::base::limits::{BRIDGES_MAX, CONFIG_FILES_MAX};
use crate::base::near::nearest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Variables that are no settings but belong to linnet's own commands and tests.
const FOREIGN: [&str; 8] = [
    "LINNET_RESTARTS",
    "LINNET_ONE_HEAP",
    "LINNET_PLANT",
    "LINNET_BIN",
    "LINNET_VENV",
    "LINNET_ARTIFACTS",
    "LINNET_CHROMIUM",
    "LINNET_CONFIG",
];
const FOREIGN_PREFIX: &str = "LINNET_TEST_";

/// The places to read, found by the caller.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was asked for; without it the known places are tried.
    pub config: Option<PathBuf>,
    /// Where `linnet.toml` is tried first; empty for the current folder.
    pub folder: PathBuf,
    /// Variables whose name begins with `LINNET_`.
    pub environment: Vec<(String, String)>,
    /// Settings given as flags.
    pub flags: Vec<Flag>,
}

/// A setting given as a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// `http.address`
    pub key: &'static str,
    /// `--http`
    pub flag: &'static str,
    /// As it was typed.
    pub value: String,
}

impl Sources {
    /// This process: its folder, its environment, and the flags it was given. `LINNET_CONFIG` stands for `--config`.
    pub fn of_process(config: Option<PathBuf>, flags: Vec<Flag>) -> Sources {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .filter(|(name, _)| name.starts_with("LINNET_"))
            .collect();
        let named =
            || environment.iter().find(|(name, _)| name == "LINNET_CONFIG").map(|(_, path)| path.into());
        Sources { config: config.or_else(named), folder: PathBuf::new(), environment, flags }
    }

    /// The file whose `conf.d` is read; it may be missing itself.
    pub fn main_file(&self) -> PathBuf {
        let local = self.folder.join("linnet.toml");
        match &self.config {
            Some(asked) => asked.clone(),
            None if !is_absent(&local) => local,
            None => PathBuf::from(SYSTEM_FILE),
        }
    }
}

/// What has been read so far.
struct Reading {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
    bridges: Vec<Row>,
    binds: Binds,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

pub(super) fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut reading = Reading::defaults();
    match files(sources) {
        Ok(files) => files.iter().for_each(|path| reading.file(path)),
        Err(problem) => reading.problems.push(problem),
    }
    sources.environment.iter().for_each(|(name, value)| reading.variable(name, value));
    for flag in &sources.flags {
        let known = setting(flag.key).expect("flags name settings");
        reading.set(known.key, &Given::Text(flag.value.clone()), Origin::Flag(flag.flag));
    }
    reading.finish()
}

/// The file and its `conf.d`, in the order they are read.
fn files(sources: &Sources) -> Result<Vec<PathBuf>, Problem> {
    let main = sources.main_file();
    let mut more = extra_files(&main.with_file_name("conf.d"))?;
    // A file that was asked for must be there; the others may be missing.
    if sources.config.is_some() || !is_absent(&main) {
        more.insert(0, main);
    }
    Ok(more)
}

/// Whether there is surely nothing: a file that may not be looked at is there, and its error is told.
fn is_absent(path: &Path) -> bool {
    path.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn extra_files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let problem = |what: String| Problem { place: folder.display().to_string(), what };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| problem(format!("cannot be read: {error}")))?.path();
        paths.push(path);
        if paths.len() > CONFIG_FILES_MAX {
            return Err(problem(format!("more than {CONFIG_FILES_MAX} files: is this linnet's folder?")));
        }
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    Ok(paths)
}

impl Reading {
    fn defaults() -> Reading {
        let mut reading = Reading {
            config: Config::blank(),
            origins: BTreeMap::new(),
            bridges: Vec::new(),
            binds: Binds::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let embedded = File { path: PathBuf::from("config.default.toml"), text: DEFAULTS.to_owned() };
        reading.said_by(&embedded);
        assert!(reading.problems.is_empty(), "the embedded defaults are settings: {:?}", reading.problems);
        reading.origins = SETTINGS.iter().map(|setting| (setting.key, Origin::Default)).collect();
        reading
    }

    fn file(&mut self, path: &Path) {
        match File::read(path) {
            Ok(file) => self.said_by(&file),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn said_by(&mut self, file: &File) {
        let said = file.said();
        self.problems.extend(said.problems);
        for (key, given, origin) in said.values {
            self.set(key, &given, origin);
        }
        for (entries, start) in &said.bridges {
            let Some((rule, rows)) = bridge::read(entries, start, &mut self.problems) else { continue };
            if self.config.bridges.iter().any(|other| other.name == rule.name) {
                let what = format!("a second bridge is named '{}': give each a name of its own", rule.name);
                self.problems.push(Problem::at(start, what));
            } else if self.config.bridges.len() == BRIDGES_MAX {
                self.problems.push(Problem::at(start, format!("more than {BRIDGES_MAX} bridges")));
            } else {
                self.config.bridges.push(rule);
                self.bridges.extend(rows);
            }
        }
        for (entries, start) in &said.binds {
            self.binds.read(&mut self.config.binds, (entries, start), &mut self.problems);
        }
    }

    fn variable(&mut self, name: &str, value: &str) {
        if FOREIGN.contains(&name) || name.starts_with(FOREIGN_PREFIX) {
            return;
        }
        match SETTINGS.iter().find(|setting| variable_name(setting.key) == name) {
            Some(setting) => {
                self.set(setting.key, &Given::Text(value.to_owned()), Origin::Environment(name.to_owned()));
            }
            None => {
                let names: Vec<String> = SETTINGS.iter().map(|setting| variable_name(setting.key)).collect();
                let meant = nearest(name, names.iter().map(String::as_str));
                let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
                self.warnings
                    .push(format!("environment {} is no setting of linnet{meant}", name.escape_debug()));
            }
        }
    }

    fn set(&mut self, key: &'static str, given: &Given, origin: Origin) {
        let known = setting(key).expect("keys come from the table of settings");
        match (known.set)(&mut self.config, given) {
            Some(()) => {
                self.origins.insert(key, origin);
            }
            None => self.problems.push(Problem::unfit(&origin, key, &given.described(), known.expected)),
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigError> {
        bridge::gather(&mut self.config.bridges, &mut self.bridges, &self.config.name);
        self.binds.check(&self.config.binds, &self.config.bridges, &mut self.problems);
        if let Some(error) = ConfigError::from(self.problems) {
            return Err(error);
        }
        let row = |setting: &super::settings::Setting| Row {
            key: setting.key.to_owned(),
            value: (setting.show)(&self.config),
            origin: self.origins[setting.key].clone(),
        };
        let rows = SETTINGS.iter().map(row).chain(self.bridges).chain(self.binds.rows).collect();
        Ok(Loaded { config: self.config, rows, warnings: self.warnings })
    }
}

/// `http.address` is `LINNET_HTTP__ADDRESS`.
pub(super) fn variable_name(key: &str) -> String {
    format!("LINNET_{}", key.replace('.', "__").to_uppercase())
}
