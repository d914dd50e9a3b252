//! PostgreSQL's SQLSTATE codes; the first two characters are the class.

use super::Class;

pub(super) fn class(code: &str) -> Class {
    match code {
        // Serialization failure, deadlock, lock not available, statement cancelled or timed out, a server in recovery; a statement of
        // ours that another connection of a pooler does not know.
        "40001" | "40P01" | "55P03" | "57014" | "25006" | "26000" => Class::Busy,
        // Idle in transaction or idle for too long, a transaction that lasted too long; shut down, crashed, starting; no connection left.
        "25P03" | "25P04" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" => Class::Lost,
        // No right to do that.
        "42501" => Class::Statement,
        // No such database, wrong password, not let in.
        "3D000" | "28P01" | "28000" => Class::CannotOpen,
        _ => match code.get(..2) {
            Some("08") => Class::Lost,
            // Insufficient resources, and errors of the system.
            Some("53" | "58") => Class::Storage,
            Some("XX") => Class::Corrupt,
            // Integrity constraints, and data that does not fit.
            Some("23" | "22") => Class::Constraint,
            // Syntax and names; features that are not supported.
            Some("42" | "0A" | "3F") => Class::Statement,
            _ => Class::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, class};

    #[test]
    fn a_code_says_whether_to_try_again_and_who_is_at_fault() {
        let cases = [
            ("40P01", Class::Busy),
            ("57P01", Class::Lost),
            ("08006", Class::Lost),
            ("53100", Class::Storage),
            ("23505", Class::Constraint),
            ("22003", Class::Constraint),
            ("42P01", Class::Statement),
            ("P0001", Class::Other),
        ];
        for (code, expected) in cases {
            assert_eq!(class(code), expected, "{code}");
        }
    }
}
