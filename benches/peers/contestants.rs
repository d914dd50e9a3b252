//! The contestants' programs: where they are, how they are called and built.

use crate::{
    options::{HERE, Options},
    result::{Run, Who},
};
use batch_core::Result;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Brings our own program up to date, where it is not another one: an older build would be measured unnoticed.
pub fn build_ours(options: &Options) -> Result<()> {
    if options.ours.is_some() || !options.wants(Who::Ours) {
        return Ok(());
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--profile", "peers", "--example", "ours"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if build.status()?.success() { Ok(()) } else { Err("our own program does not build".into()) }
}

/// Why a contestant cannot take part, and what would mend it.
pub fn missing(who: Who, options: &Options) -> Option<String> {
    let (there, build) = match who {
        Who::Ours => (options.ours(), "cargo build --profile peers --example ours".to_owned()),
        Who::Spring => {
            let jar = Path::new(HERE).join("spring-batch/target/spring-batch-bench-1.jar");
            (jar, "(cd benches/peers/spring-batch && mvn -q -B package), which needs Java 17, Maven and a network".to_owned())
        }
        Who::PsqlCopy => return None,
        _ => (program(who), format!("(cd benches/peers/rust && cargo build --release --locked -p {})", who.name())),
    };
    (!there.exists()).then(|| format!("not built; build it with {build}"))
}

/// The program with its arguments; what is written in Rust without a shell around it, which would add to its start.
pub fn command(run: &Run, options: &Options) -> (PathBuf, Vec<String>) {
    let arguments = vec![run.workload.to_owned(), run.chunk.to_string()];
    match run.who {
        Who::Ours => (options.ours(), arguments),
        Who::Spring | Who::PsqlCopy => (Path::new(HERE).join("run.sh"), [vec![run.who.name().to_owned()], arguments].concat()),
        who => (program(who), arguments),
    }
}

fn program(who: Who) -> PathBuf {
    Path::new(HERE).join("rust/target/release").join(who.name())
}

/// What the file of w2 may be called: each has a name of its own.
pub fn copies(run: &Run, folder: &Path) -> Vec<PathBuf> {
    let name = match run.who {
        Who::Oxide => "oxide-batch",
        Who::Sbrs => "spring-batch-rs",
        Who::Spring => "spring-batch",
        who => who.name(),
    };
    ["w2", run.workload].map(|workload| folder.join(format!("out/{name}-{workload}.csv"))).to_vec()
}
