use std::cell::RefCell;

use toml::{Table, Value};

use crate::Problems;

/// Longest value that a message repeats, in characters.
const REPEATED: usize = 40;

/// A table of which every key is taken out by its reader.
#[derive(Debug)]
pub struct Section<'a> {
    table: Table,
    /// The place of this table, empty for the whole text.
    place: String,
    problems: &'a RefCell<Problems>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(table: Table, place: String, problems: &'a RefCell<Problems>) -> Self {
        Self { table, place, problems }
    }

    /// The text under this key. `None` if there is none, which is a problem.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.require(key)?;
        self.optional_text(key)
    }

    /// The text under this key, if there is one.
    pub fn optional_text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) => Some(text),
            // A date without quotes is a date to TOML.
            Value::Datetime(date) => Some(date.to_string()),
            other => self.refuse(key, &other, "a text"),
        }
    }

    /// The number under this key, from `least` to `most`. `None` if there is none, which is a problem.
    pub fn number(&mut self, key: &str, least: f64, most: f64) -> Option<f64> {
        self.require(key)?;
        self.optional_number(key, least, most)
    }

    /// The number under this key, from `least` to `most`, if there is one.
    pub fn optional_number(&mut self, key: &str, least: f64, most: f64) -> Option<f64> {
        let value = self.table.remove(key)?;
        let number = match value {
            Value::Float(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => self.refuse(key, &value, &format!("{least} to {most}")),
        }
    }

    /// The whole number under this key, from `least` to `most`, if there is one.
    pub fn optional_whole(&mut self, key: &str, least: i64, most: i64) -> Option<i64> {
        match self.table.remove(key)? {
            Value::Integer(number) if (least..=most).contains(&number) => Some(number),
            other => self.refuse(key, &other, &format!("a whole number from {least} to {most}")),
        }
    }

    /// The texts under this key, none of them empty; no texts if there is no such key.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let values = match self.table.remove(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => vec![other],
        };
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Value::String(text) if !text.trim().is_empty() => texts.push(text),
                other => drop(self.refuse::<()>(key, &other, "texts, such as [\"one\", \"two\"]")),
            }
        }
        texts
    }

    /// The table under `[key]`, if there is one.
    pub fn section(&mut self, key: &str) -> Option<Section<'a>> {
        match self.table.remove(key)? {
            Value::Table(table) => Some(Section { table, place: self.place_of(key), problems: self.problems }),
            other => self.refuse(key, &other, &format!("a table, under [{key}]")),
        }
    }

    /// The keys that were not taken yet, in alphabetical order: for tables whose keys are names of the user's choice.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// Whatever is under this key, if anything is.
    pub fn value(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    /// The tables under `[[key]]`, in order; none if there are none.
    pub fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let takes = format!("tables, each under [[{key}]]");
        let values = match self.table.remove(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.refuse::<()>(key, &other, &takes);
                return Vec::new();
            }
        };
        let mut sections = Vec::with_capacity(values.len());
        for (at, value) in (1..).zip(values) {
            let place = format!("{}[{at}]", self.place_of(key));
            match value {
                Value::Table(table) => sections.push(Section { table, place, problems: self.problems }),
                other => self.problems.borrow_mut().add(&place, format!("is {}; it takes a table", shown(&other))),
            }
        }
        sections
    }

    /// Says what is wrong with the value of a key.
    pub fn problem(&self, key: &str, what: impl Into<String>) {
        self.problems.borrow_mut().add(&self.place_of(key), what);
    }

    /// Makes a problem of every key that was not taken.
    pub fn end(self) {
        let left: Vec<String> = self.table.keys().map(|key| self.place_of(key)).collect();
        match left.as_slice() {
            [] => {}
            [one] => self.problems.borrow_mut().add(one, "is not known; remove it, or correct its name"),
            many => {
                let what = format!("`{}` are not known; remove them, or correct their names", many.join("`, `"));
                self.problems.borrow_mut().add("", what);
            }
        }
    }

    fn require(&self, key: &str) -> Option<()> {
        if !self.table.contains_key(key) {
            self.problem(key, "is missing");
            return None;
        }
        Some(())
    }

    fn refuse<T>(&self, key: &str, value: &Value, takes: &str) -> Option<T> {
        self.problem(key, format!("is {}; it takes {takes}", shown(value)));
        None
    }

    fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Float(number) => number.to_string().to_lowercase(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(date) => date.to_string(),
        Value::String(text) => format!("`{}`", text.chars().take(REPEATED).collect::<String>()),
    }
}
