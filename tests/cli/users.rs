//! Files that the user may not read or write. Root may do everything, so the program then runs as nobody.

use crate::program::{Place, Said, path_of, rows};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

const NOBODY: &str = "65534";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs the import as a user who is not root, from a folder that everybody may reach.
fn import(place: &Place) -> Said {
    if !rustix::process::getuid().is_root() {
        return place.import(&[]);
    }
    let program = place.path().join("import_products");
    if !program.exists() {
        fs::copy(path_of("import_products"), &program).unwrap();
        mode(&program, 0o755);
    }
    let plain = place.command_of(&program);
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(&program).args(plain.get_args());
    command.output().unwrap().into()
}

fn place() -> Place {
    let place = Place::with(rows(20));
    mode(place.path(), 0o777);
    place
}

#[test]
fn an_input_that_may_not_be_read() {
    let place = place();
    mode(&place.input(), 0);
    import(&place).must(2, &["job import-products", "step load", "in.csv", "may not be read", "permission"]);
    mode(&place.input(), 0o644);
    import(&place).must(0, &[]);
}

#[test]
fn a_database_that_may_not_be_written() {
    let place = place();
    import(&place).must(0, &[]);
    mode(&place.database(), 0o444);
    import(&place).must(7, &["test.db", "not readable and writable", "change its permissions"]);
    mode(&place.database(), 0o666);
    import(&place).must(5, &["completed"]);
}

#[test]
fn a_folder_that_may_not_be_written() {
    let place = place();
    import(&place).must(0, &[]);
    mode(place.path(), 0o555);
    import(&place).must(7, &["test.db", "folder is not writable", "change its permissions"]);
    mode(place.path(), 0o777);
    import(&place).must(5, &[]);
}
