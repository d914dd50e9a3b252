//! Mistakes that users will make, and what the compiler says of them: one file and its message each, in `tests/mistakes`.

#[test]
fn the_compiler_says_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/mistakes/*.rs");
}
