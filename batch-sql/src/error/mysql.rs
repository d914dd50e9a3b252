//! MySQL's and MariaDB's error numbers.

use super::Class;

pub(super) fn class(number: u16) -> Class {
    match number {
        // Row changed since read, lock wait timeout, deadlock, table definition changed, statement to be prepared again, interrupted, a
        // statement that took too long.
        1020 | 1205 | 1213 | 1412 | 1615 | 1317 | 1969 | 3024 => Class::Busy,
        // Too many connections, shutdown, killed, broken network, gone away, lost, idle for too long.
        1040 | 1203 | 1053 | 1080 | 1152..=1161 | 1184 | 1927 | 2002 | 2003 | 2006 | 2013 | 2055 | 4031 => Class::Lost,
        // No such database, not let in.
        1044 | 1045 | 1049 | 1130 | 1698 => Class::CannotOpen,
        // Disk full, errors of files and of the storage engine, table full.
        3 | 5 | 28 | 1021 | 1026 | 1030 | 1037 | 1038 | 1041 | 1114 => Class::Storage,
        // Read-only server or transaction.
        1036 | 1290 | 1792 | 1836 => Class::ReadOnly,
        // NULL where none may be, duplicate, foreign keys, too long, out of range, not of the type, a check that failed.
        1048 | 1062 | 1169 | 1216 | 1217 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 1451 | 1452 | 1557 | 1586 | 1690 | 3819
        | 4025 => Class::Constraint,
        // Table, column or right that is not there; syntax; a number of values that does not fit.
        1046 | 1051 | 1052 | 1054 | 1058 | 1064 | 1109 | 1136 | 1142 | 1143 | 1146 | 1149 | 1227 | 1235 => Class::Statement,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, class};

    #[test]
    fn a_number_says_whether_to_try_again_and_who_is_at_fault() {
        let cases = [
            (1213, Class::Busy),
            (1412, Class::Busy),
            (2013, Class::Lost),
            (1114, Class::Storage),
            (1062, Class::Constraint),
            (4025, Class::Constraint),
            (1146, Class::Statement),
            (1644, Class::Other),
        ];
        for (number, expected) in cases {
            assert_eq!(class(number), expected, "{number}");
        }
    }
}
