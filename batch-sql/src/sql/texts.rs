//! Templates turned into statements.

use super::{Flavor, Value};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Turns templates into statements of one database.
///
/// `@step` becomes the quoted name of the repository's table `step`, with its prefix and schema; `@@step_last` the name of an index, which
/// has no schema; `?` a placeholder; `{word}` what [`Flavor::word`] says.
#[derive(Debug)]
pub(crate) struct Texts {
    flavor: Flavor,
    schema: Option<String>,
    prefix: String,
    made: Mutex<HashMap<&'static str, Arc<str>>>,
}

impl Texts {
    /// `prefix` and `schema` were checked: they need no escaping.
    pub(crate) fn new(flavor: Flavor, prefix: String, schema: Option<String>) -> Self {
        Self { flavor, schema, prefix, made: Mutex::default() }
    }

    pub(crate) fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// What tables of this repository are named with, for locks that keep migrations apart.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The schema, where one was named.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The statement of a template; the same template is made once.
    pub(crate) fn get(&self, template: &'static str) -> Arc<str> {
        let mut made = self.made.lock();
        made.entry(template).or_insert_with(|| self.make(template, &[]).into()).clone()
    }

    /// The statement with its values written into it, for protocols that take several statements at once only without values.
    pub(crate) fn inline(&self, template: &str, values: &[Value]) -> String {
        self.make(template, values)
    }

    fn make(&self, template: &str, values: &[Value]) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        let (mut rest, mut placed) = (template, 0);
        while let Some(at) = rest.find(['@', '?', '{']) {
            let (before, mark) = rest.split_at(at);
            text.push_str(before);
            rest = match mark.as_bytes()[0] {
                b'@' => self.name(mark, &mut text),
                b'?' => {
                    self.place(values.get(placed), placed + 1, &mut text);
                    placed += 1;
                    &mark[1..]
                }
                _ => self.word(mark, values, &mut placed, &mut text),
            };
        }
        text.push_str(rest);
        text
    }

    fn place(&self, value: Option<&Value>, number: usize, text: &mut String) {
        match value {
            Some(value) => value.literal(self.flavor, text),
            None if self.flavor.numbers_placeholders() => text.push_str(&format!("${number}")),
            None => text.push('?'),
        }
    }

    /// A word may hold placeholders of its own.
    fn word<'t>(&self, mark: &'t str, values: &[Value], placed: &mut usize, text: &mut String) -> &'t str {
        let known = mark.find('}').and_then(|end| Some((self.flavor.word(&mark[1..end])?, &mark[end + 1..])));
        let Some((meaning, rest)) = known else {
            text.push('{');
            return &mark[1..];
        };
        for (number, part) in meaning.split('?').enumerate() {
            if number > 0 {
                self.place(values.get(*placed), *placed + 1, text);
                *placed += 1;
            }
            text.push_str(part);
        }
        rest
    }

    fn name<'t>(&self, mark: &'t str, text: &mut String) -> &'t str {
        let (schema, name) = match mark.strip_prefix("@@") {
            Some(name) => (None, name),
            None => (self.schema.as_ref(), &mark[1..]),
        };
        let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(name.len());
        let (name, rest) = name.split_at(end);
        let quote = self.flavor.quote();
        if let Some(schema) = schema {
            text.push_str(&format!("{quote}{schema}{quote}."));
        }
        text.push_str(&format!("{quote}{}{name}{quote}", self.prefix));
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::{Flavor, Texts, Value};

    const TEMPLATE: &str = "UPDATE @step SET x = ?, y = ? WHERE @step.id IN (@skip){for_share}";

    fn texts(flavor: Flavor, schema: Option<&str>) -> Texts {
        Texts::new(flavor, "my_".to_owned(), schema.map(str::to_owned))
    }

    #[test]
    fn each_database_gets_its_quotes_placeholders_and_words() {
        let sqlite = r#"UPDATE "my_step" SET x = ?, y = ? WHERE "my_step".id IN ("my_skip")"#;
        assert_eq!(&*texts(Flavor::Sqlite, None).get(TEMPLATE), sqlite);
        let postgres = r#"UPDATE "s"."my_step" SET x = $1, y = $2 WHERE "s"."my_step".id IN ("s"."my_skip") FOR SHARE"#;
        assert_eq!(&*texts(Flavor::Postgres, Some("s")).get(TEMPLATE), postgres);
        let mysql = "UPDATE `my_step` SET x = ?, y = ? WHERE `my_step`.id IN (`my_skip`) LOCK IN SHARE MODE";
        assert_eq!(&*texts(Flavor::MySql, None).get(TEMPLATE), mysql);
    }

    #[test]
    fn an_index_has_no_schema() {
        let text = texts(Flavor::Postgres, Some("s"));
        assert_eq!(&*text.get("CREATE INDEX @@step_last ON @step (id)"), r#"CREATE INDEX "my_step_last" ON "s"."my_step" (id)"#);
    }

    #[test]
    fn a_word_may_hold_a_placeholder() {
        let text = texts(Flavor::Postgres, None);
        assert_eq!(
            &*text.get("SET a = ?, b = {later}, c = ?"),
            "SET a = $1, b = clock_timestamp() + CAST($2 AS double precision) * interval '1 microsecond', c = $3"
        );
    }

    #[test]
    fn values_are_written_so_that_no_text_ends_its_literal() {
        let values = [Value::from("a'b\\"), Value::from(-7_i64)];
        let inline = |flavor| texts(flavor, None).inline("SET a = ?, b = ?", &values);
        assert_eq!(inline(Flavor::Postgres), r"SET a = E'a''b\\', b = -7");
        assert_eq!(inline(Flavor::MariaDb), "SET a = _utf8mb4 X'6127625C', b = -7");
    }
}
