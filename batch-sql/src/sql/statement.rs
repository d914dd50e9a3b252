//! A statement with its values.

use super::{Texts, Value};
use std::{borrow::Cow, sync::Arc};

/// A statement of the repository, ready to run.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(crate) text: Arc<str>,
    pub(crate) values: Vec<Value>,
    /// Whether its text comes again, so that the connection keeps it prepared.
    pub(crate) keep: bool,
    /// Where it is not likely to come again on its connection soon, the template that `text` was made of.
    pub(crate) once: Option<Cow<'static, str>>,
}

impl Statement {
    pub(crate) fn new(text: Arc<str>) -> Self {
        Self { text, values: Vec::new(), keep: true, once: None }
    }

    /// Of those that a run needs once.
    #[must_use]
    pub(crate) fn once(self, template: &'static str) -> Self {
        Self { once: Some(template.into()), ..self }
    }

    /// Adds the value of the next placeholder.
    #[must_use]
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds the values of the next placeholders.
    #[must_use]
    pub(crate) fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Repeats the row of placeholders with which the template ends, behind VALUES, for each of `rows`.
    #[must_use]
    pub(crate) fn rows(template: &'static str, texts: &Texts, rows: &[Vec<Value>]) -> Self {
        let (template, values) = Self::rows_template(template, rows);
        Self { text: texts.inline(&template, &[]).into(), values, keep: false, once: Some(template.into()) }
    }

    /// The same as a text with the values in it.
    pub(crate) fn rows_inline(template: &str, texts: &Texts, rows: &[Vec<Value>]) -> String {
        let (template, values) = Self::rows_template(template, rows);
        texts.inline(&template, &values)
    }

    /// The template for all of `rows`, and their values.
    fn rows_template(template: &str, rows: &[Vec<Value>]) -> (String, Vec<Value>) {
        let row = template.split_once("VALUES ").map_or("", |(_, row)| row);
        let template = template.to_owned() + &format!(", {row}").repeat(rows.len().saturating_sub(1));
        (template, rows.iter().flatten().cloned().collect())
    }
}
