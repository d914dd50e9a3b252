//! Reads the user's SQL as far as needed: where placeholders are, and which words stand outside of quotes and comments.

use super::kind::Kind;

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
pub(crate) fn placeholders(kind: Kind, sql: &str) -> usize {
    pieces(kind, sql).filter(|piece| *piece == Piece::Placeholder).count()
}

/// Whether `words` follow each other outside of quotes and comments, in upper or lower case.
pub(crate) fn says(kind: Kind, sql: &str, words: &[&str]) -> bool {
    let found: Vec<_> =
        pieces(kind, sql).filter_map(|piece| if let Piece::Word(word) = piece { Some(word) } else { None }).collect();
    found.windows(words.len()).any(|window| window.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b)))
}

/// Cuts `sql` into pieces.
pub(crate) fn pieces(kind: Kind, sql: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let (piece, length) = piece(kind, rest)?;
        rest = &rest[length..];
        Some(piece)
    })
}

fn piece(kind: Kind, sql: &str) -> Option<(Piece<'_>, usize)> {
    let first = sql.chars().next()?;
    let length = match first {
        '?' if sql.starts_with("??") => return Some((Piece::Question, 2)),
        // `?1` of SQLite is numbered by its author.
        '?' if !sql[1..].starts_with(|c: char| c.is_ascii_digit()) => return Some((Piece::Placeholder, 1)),
        'e' | 'E' if kind == Kind::Postgres && sql[1..].starts_with('\'') => 1 + quoted(&sql[1..], '\'', true),
        c if is_word(c) => {
            let length = sql.find(|c: char| !is_word(c) && c != '$').unwrap_or(sql.len());
            return Some((Piece::Word(&sql[..length]), length));
        }
        '\'' => quoted(sql, '\'', kind == Kind::MySql),
        '"' => quoted(sql, '"', kind == Kind::MySql),
        '`' if kind != Kind::Postgres => quoted(sql, '`', false),
        '[' if kind == Kind::Sqlite => until(sql, "]"),
        '$' if kind == Kind::Postgres => dollar_quoted(sql),
        '-' if sql.starts_with("--") => until(sql, "\n"),
        '#' if kind == Kind::MySql => until(sql, "\n"),
        '/' if sql.starts_with("/*") => comment(sql, kind == Kind::Postgres),
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
    use super::{Kind, pieces, placeholders, says};
    use proptest::prelude::*;

    #[test]
    fn only_a_question_mark_outside_of_quotes_and_comments_is_a_placeholder() {
        for (kind, sql, count) in [
            (Kind::Sqlite, "a = ? AND b = 'it''s ?' AND \"c?\" = ? -- ?\n AND d = ?", 3),
            (Kind::Sqlite, "[a?] = ?1 AND `b?` = ? /* ? /* ? */", 1),
            (Kind::Sqlite, r"a = '\' AND b = ?", 1),
            (Kind::Postgres, r"a[?] = E'\'?' AND b = $$ ? $$ AND c = $x$ $$ ? $x$ AND d = ?::int", 2),
            (Kind::Postgres, "/* /* ? */ ? */ j ?? 'k' AND a = ? AND b = $1", 1),
            (Kind::Postgres, r"name = 'e' AND size = '\' AND b = ?", 1),
            (Kind::MySql, "a = 'it\\'s ?' AND b = \"?\" AND `c?` = ? # ?\n AND d = ?", 2),
            (Kind::MySql, "a = ? AND b = '?", 1),
        ] {
            assert_eq!(placeholders(kind, sql), count, "{kind:?}: {sql}");
        }
    }

    #[test]
    fn words_in_quotes_and_comments_say_nothing() {
        assert!(says(Kind::Postgres, "SELECT a FROM t\norder\tBy a", &["ORDER", "BY"]));
        assert!(!says(Kind::Postgres, "SELECT 'ORDER BY' FROM t -- ORDER BY\n", &["ORDER", "BY"]));
        assert!(!says(Kind::Postgres, "SELECT border, by FROM t", &["ORDER", "BY"]));
    }

    proptest! {
        #[test]
        fn pieces_cover_any_text(sql in "[a-zß?'\"`$\\[\\]\\\\*/#\n -]{0,40}") {
            for kind in [Kind::Sqlite, Kind::Postgres, Kind::MySql] {
                let length: usize = pieces(kind, &sql).map(|piece| match piece {
                    super::Piece::Text(text) | super::Piece::Word(text) => text.len(),
                    super::Piece::Placeholder => 1,
                    super::Piece::Question => 2,
                }).sum();
                prop_assert_eq!(length, sql.len());
            }
        }
    }
}
