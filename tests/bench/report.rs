//! The figures, and the forms they are printed in.

use crate::args::Args;
use crate::tables::{Column, TABLES, Table};
use crate::{gates, machine};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What was measured, and beside what.
pub struct Figures {
    values: BTreeMap<(String, String, String), f64>,
    /// The share of the machine that others used during each scenario.
    others: BTreeMap<&'static str, f64>,
    runs: usize,
    command: String,
}

impl Figures {
    /// No figures yet.
    pub fn new(args: &Args) -> Figures {
        let command = format!("cargo bench --bench bench -- {}", args.words);
        let command = command.trim_end_matches([' ', '-']).to_owned();
        Figures { values: BTreeMap::new(), others: BTreeMap::new(), runs: args.runs, command }
    }

    /// A figure for a cell of a table.
    pub fn put(&mut self, scenario: &str, row: &str, column: &str, value: f64) {
        let known = TABLES.iter().any(|table| {
            table.scenario == scenario
                && table.rows.iter().any(|(key, _)| *key == row)
                && table.columns.iter().any(|known| known.key == column)
        });
        assert!(known, "no table has a place for {scenario} {row} {column}");
        self.values.insert((scenario.to_owned(), row.to_owned(), column.to_owned()), value);
    }

    /// The figure of a cell, if it was measured.
    pub fn get(&self, scenario: &str, row: &str, column: &str) -> Option<f64> {
        self.values.get(&(scenario.to_owned(), row.to_owned(), column.to_owned())).copied()
    }

    /// Notes how busy others kept the machine meanwhile.
    pub fn note_others(&mut self, scenario: &'static str, share: f64) {
        self.others.insert(scenario, share);
    }

    fn cell(&self, table: &Table, row: &str, column: &Column) -> String {
        let Some(value) = self.get(table.scenario, row, column.key) else { return "-".to_owned() };
        let text = grouped(&format!("{value:.*}", column.digits));
        match gates::of(table.scenario, row, column.key, value) {
            Some((_, true)) => format!("{text} ok"),
            Some((_, false)) => format!("{text} MISSED"),
            None => text,
        }
    }

    fn has(&self, table: &Table) -> bool {
        self.values.keys().any(|(scenario, ..)| scenario == table.scenario)
    }

    fn circumstances(&self) -> String {
        let mut text = format!("{}; medians of {} runs", machine::description(), self.runs);
        if !self.others.is_empty() {
            let others = self.others.iter().map(|(name, share)| format!("{name} {:.0} %", share * 100.0));
            let others: Vec<String> = others.collect();
            let _ = write!(text, "; CPU used by others meanwhile: {}", others.join(", "));
        }
        text
    }

    /// Tables for a terminal, of what was measured.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.circumstances());
        for table in TABLES.iter().filter(|table| self.has(table)) {
            let label = table.rows.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
            let _ = write!(text, "\n{:label$}", table.title);
            for column in table.columns {
                let _ = write!(text, "  {:>14}", column.title);
            }
            text.push('\n');
            for (row, name) in table.rows {
                let _ = write!(text, "{name:label$}");
                for column in table.columns {
                    let width = column.title.len().max(14);
                    let _ = write!(text, "  {:>width$}", self.cell(table, row, column));
                }
                text.push('\n');
            }
        }
        text
    }

    /// The tables of README.md: every row, measured or not.
    pub fn markdown(&self) -> String {
        let mut text = format!("`{}` on {}.\n", self.command, self.circumstances());
        for table in &TABLES {
            let titles: Vec<&str> = table.columns.iter().map(|column| column.title).collect();
            let _ = writeln!(text, "\n| {} | {} |", table.title, titles.join(" | "));
            let _ = writeln!(text, "|---|{}", "---:|".repeat(titles.len()));
            for (row, name) in table.rows {
                let cells: Vec<String> =
                    table.columns.iter().map(|column| self.cell(table, row, column)).collect();
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
            }
        }
        text
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let figures = self.values.iter().map(|((scenario, row, column), value)| {
            let gate = gates::of(scenario, row, column, *value);
            json!({
                "scenario": scenario, "row": row, "figure": column, "value": value,
                "gate": gate.as_ref().map(|(words, _)| words),
                "met": gate.as_ref().map(|(_, met)| met),
            })
        });
        json!({
            "machine": machine::description(),
            "command": self.command,
            "runs": self.runs,
            "cpu_of_others": self.others,
            "figures": figures.collect::<Vec<Value>>(),
        })
    }
}

/// Digits in threes.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}
