//! A strict reader of Prometheus' text format 0.0.4, for the page a node gives.

use std::collections::BTreeMap;

/// A sample: its name, its labels as written, its value.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// A whole page: types by name, and all samples.
#[derive(Debug, Default)]
pub struct Page {
    pub types: BTreeMap<String, String>,
    pub samples: Vec<Sample>,
}

impl Page {
    /// Reads a page; panics at the first line that is not of the format, or a sample without HELP and TYPE before it.
    pub fn read(text: &str) -> Page {
        assert!(text.ends_with('\n'), "the last line ends");
        let (mut page, mut helped) = (Page::default(), None);
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
                assert!(!help.trim().is_empty() && !page.types.contains_key(name), "{line}");
                helped = Some(name.to_owned());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
                assert_eq!(helped.as_deref(), Some(name), "HELP goes before TYPE");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                page.types.insert(name.to_owned(), kind.to_owned());
            } else {
                let sample = sample(line);
                let family = helped.as_deref().unwrap_or_else(|| panic!("nothing said of {line}"));
                let suffix = sample.name.strip_prefix(family).unwrap_or_else(|| panic!("stray: {line}"));
                let parts: &[&str] = match page.types[family].as_str() {
                    "histogram" => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                assert!(parts.contains(&suffix), "{line}");
                page.samples.push(sample);
            }
        }
        page.check();
        page
    }

    fn check(&self) {
        for (name, kind) in &self.types {
            assert!(name.starts_with("linnet_"), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            assert!(self.samples.iter().any(|sample| sample.name.starts_with(name)), "{name} has no sample");
        }
        let mut seen: Vec<_> = self.samples.iter().map(|sample| (&sample.name, &sample.labels)).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), self.samples.len(), "no sample stands there twice");
    }

    /// The value of the sample of this name with this label, where one is wanted.
    pub fn value(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        let fits = |sample: &&Sample| {
            let labels: Vec<_> = sample.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            sample.name == name && label.is_none_or(|label| labels.contains(&label))
        };
        self.samples.iter().find(fits).unwrap_or_else(|| panic!("no {name} {label:?}")).value
    }
}

fn sample(line: &str) -> Sample {
    let (name, rest) = match line.split_once('{') {
        Some((name, rest)) => (name, Some(rest)),
        None => (line.split(' ').next().unwrap(), None),
    };
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !name.is_empty()
    };
    assert!(is_name(name), "{line}");
    let (labels, value) = match rest {
        None => ("", &line[name.len() + 1..]),
        Some(rest) => rest.rsplit_once("} ").unwrap_or_else(|| panic!("labels do not end: {line}")),
    };
    let labels = labels.split(',').filter(|label| !label.is_empty()).map(|label| {
        let (name, value) = label.split_once('=').unwrap_or_else(|| panic!("{line}"));
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        assert!(is_name(name), "{line}");
        (name.to_owned(), value.unwrap_or_else(|| panic!("no quotes: {line}")).to_owned())
    });
    let labels = labels.collect();
    Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
    }
}
