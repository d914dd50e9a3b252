//! Statements of the repository, with its table names put in.

use parking_lot::Mutex;
use sqlx::AssertSqlSafe;
use std::{collections::HashMap, sync::Arc};

/// Turns templates into statements: `@step` becomes the quoted name of the repository's table `step`.
#[derive(Debug)]
pub(crate) struct Texts {
    prefix: String,
    made: Mutex<HashMap<&'static str, Arc<str>>>,
}

impl Texts {
    /// `prefix` was checked: it needs no escaping.
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, made: Mutex::default() }
    }

    /// The statement of a template; the same template is made once.
    pub(crate) fn get(&self, template: &'static str) -> AssertSqlSafe<Arc<str>> {
        let mut made = self.made.lock();
        AssertSqlSafe(made.entry(template).or_insert_with(|| self.make(template).into()).clone())
    }

    fn make(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        let mut parts = template.split('@');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            text.extend(["\"", &self.prefix, name, "\"", rest]);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn table_names_get_the_prefix_and_are_quoted() {
        let texts = Texts::new("my_".to_owned());
        assert_eq!(
            &*texts.get("UPDATE @step SET x=? WHERE @step.id IN (@skip)").0,
            r#"UPDATE "my_step" SET x=? WHERE "my_step".id IN ("my_skip")"#
        );
    }
}
