//! Reads the user's SQL as far as needed: where placeholders are, and which words stand outside of quotes and comments.

use crate::sql::Flavor;

/// A piece of SQL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Anything that is taken as it is: text, quoted text, comments.
    Text(&'a str),
    /// A letter-and-digit word outside of quotes and comments.
    Word(&'a str),
    /// A `?` that stands for a value.
    Placeholder,
    /// `??`, which stands for the operator `?` of PostgreSQL.
    Question,
}

/// How many values the `?` of `sql` stand for.
pub(crate) fn placeholders(flavor: Flavor, sql: &str) -> usize {
    pieces(flavor, sql).filter(|piece| *piece == Piece::Placeholder).count()
}

/// Whether `words` follow each other outside of quotes and comments, in upper or lower case.
pub(crate) fn says(flavor: Flavor, sql: &str, words: &[&str]) -> bool {
    let found: Vec<_> =
        pieces(flavor, sql).filter_map(|piece| if let Piece::Word(word) = piece { Some(word) } else { None }).collect();
    found.windows(words.len()).any(|window| window.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b)))
}

/// Cuts `sql` into pieces.
pub(crate) fn pieces(flavor: Flavor, sql: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let (piece, length) = piece(flavor, rest)?;
        rest = &rest[length..];
        Some(piece)
    })
}

fn piece(flavor: Flavor, sql: &str) -> Option<(Piece<'_>, usize)> {
    let first = sql.chars().next()?;
    let is_mysql = matches!(flavor, Flavor::MySql | Flavor::MariaDb);
    let length = match first {
        '?' if sql.starts_with("??") => return Some((Piece::Question, 2)),
        // `?1` of SQLite is numbered by its author.
        '?' if !sql[1..].starts_with(|c: char| c.is_ascii_digit()) => return Some((Piece::Placeholder, 1)),
        'e' | 'E' if flavor == Flavor::Postgres && sql[1..].starts_with('\'') => 1 + quoted(&sql[1..], '\'', true),
        c if is_word(c) => {
            let length = sql.find(|c: char| !is_word(c) && c != '$').unwrap_or(sql.len());
            return Some((Piece::Word(&sql[..length]), length));
        }
        '\'' | '"' => quoted(sql, first, is_mysql),
        '`' if flavor != Flavor::Postgres => quoted(sql, '`', false),
        '[' if flavor == Flavor::Sqlite => until(sql, "]"),
        '$' if flavor == Flavor::Postgres => dollar_quoted(sql),
        '-' if sql.starts_with("--") => until(sql, "\n"),
        '#' if is_mysql => until(sql, "\n"),
        '/' if sql.starts_with("/*") => comment(sql, flavor == Flavor::Postgres),
        c => c.len_utf8(),
    };
    Some((Piece::Text(&sql[..length]), length))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a quoted text; a doubled quote is not its end, nor is one behind a backslash where those escape.
fn quoted(sql: &str, quote: char, escapes: bool) -> usize {
    let mut chars = sql.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes || c == quote && chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    sql.len()
}

/// `$tag$ .. $tag$`, or the parameter `$1`.
fn dollar_quoted(sql: &str) -> usize {
    let tag = sql[1..].find(|c: char| !is_word(c)).map_or(sql.len(), |end| end + 1);
    if !sql[tag..].starts_with('$') || sql[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    let mark = &sql[..=tag];
    sql[mark.len()..].find(mark).map_or(sql.len(), |end| end + 2 * mark.len())
}

fn comment(sql: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < sql.len() {
        let rest = &sql[at..];
        if rest.starts_with("/*") && (nests || depth == 0) {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    sql.len()
}

fn until(sql: &str, end: &str) -> usize {
    sql.find(end).map_or(sql.len(), |at| at + end.len())
}

#[cfg(test)]
mod tests {
    use super::{Flavor, pieces, placeholders, says};
    use proptest::prelude::*;

    #[test]
    fn only_a_question_mark_outside_of_quotes_and_comments_is_a_placeholder() {
        for (flavor, sql, count) in [
            (Flavor::Sqlite, "a = ? AND b = 'it''s ?' AND \"c?\" = ? -- ?\n AND d = ?", 3),
            (Flavor::Sqlite, "[a?] = ?1 AND `b?` = ? /* ? /* ? */", 1),
            (Flavor::Sqlite, r"a = '\' AND b = ?", 1),
            (Flavor::Postgres, r"a[?] = E'\'?' AND b = $$ ? $$ AND c = $x$ $$ ? $x$ AND d = ?::int", 2),
            (Flavor::Postgres, "/* /* ? */ ? */ j ?? 'k' AND a = ? AND b = $1", 1),
            (Flavor::Postgres, r"name = 'e' AND size = '\' AND b = ?", 1),
            (Flavor::MySql, "a = 'it\\'s ?' AND b = \"?\" AND `c?` = ? # ?\n AND d = ?", 2),
            (Flavor::MySql, "a = ? AND b = '?", 1),
        ] {
            assert_eq!(placeholders(flavor, sql), count, "{flavor:?}: {sql}");
        }
    }

    #[test]
    fn words_in_quotes_and_comments_say_nothing() {
        assert!(says(Flavor::Postgres, "SELECT a FROM t\norder\tBy a", &["ORDER", "BY"]));
        assert!(!says(Flavor::Postgres, "SELECT 'ORDER BY' FROM t -- ORDER BY\n", &["ORDER", "BY"]));
        assert!(!says(Flavor::Postgres, "SELECT border, by FROM t", &["ORDER", "BY"]));
    }

    proptest! {
        #[test]
        fn pieces_cover_any_text(sql in "[a-zß?'\"`$\\[\\]\\\\*/#\n -]{0,40}") {
            for flavor in [Flavor::Sqlite, Flavor::Postgres, Flavor::MySql] {
                let length: usize = pieces(flavor, &sql).map(|piece| match piece {
                    super::Piece::Text(text) | super::Piece::Word(text) => text.len(),
                    super::Piece::Placeholder => 1,
                    super::Piece::Question => 2,
                }).sum();
                prop_assert_eq!(length, sql.len());
            }
        }
    }
}
