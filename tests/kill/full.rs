//! Disks that are full.

use crate::{
    audit,
    process::{ARGUMENTS, Ended, Worker, orders},
    scene::Scene,
    worker::{Kind, Spec},
};
use std::{fs, process::Command};

/// Runs the worker under a limit of so many KiB for each file that it writes: writing more fails, as on a full disk.
fn run_limited(spec: &Spec, kib: u64) -> Ended {
    // SIGXFSZ would kill the worker; a signal that is ignored stays so over exec.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).args(ARGUMENTS);
    orders(&mut command, spec, "");
    Worker::spawn(command).finish()
}

/// A scene whose records are long.
fn wide(kind: Kind, chunk: usize) -> Scene {
    let scene = Scene::new(kind, chunk, 300);
    let text = fs::read(scene.path().join("in.csv")).unwrap();
    let long = "plain ".repeat(800);
    let widen = |bytes: &[u8]| -> Vec<u8> {
        let lines = bytes.split_inclusive(|b| *b == b'\n');
        lines
            .flat_map(|line| match line.strip_suffix(b",plain\n") {
                Some(head) => [head, b",", long.as_bytes(), b"\n"].concat(),
                None => line.to_vec(),
            })
            .collect()
    };
    fs::write(scene.path().join("in.csv"), widen(&text)).unwrap();
    let mut expected = scene.expected.clone();
    expected.bytes = widen(&expected.bytes);
    expected.rows.iter_mut().filter(|row| row.note == "plain").for_each(|row| row.note.clone_from(&long));
    Scene { expected, ..scene }
}

#[test]
fn an_output_that_does_not_fit_fails_the_step_and_goes_on_when_there_is_room() {
    for kind in [Kind::Copy, Kind::CopyInTransaction] {
        let scene = wide(kind, 30);
        let ended = run_limited(&scene.spec, 600);
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        let part = scene.path().join("out.csv.part").display().to_string();
        for said in ["cannot write the output file", "File too large", &part, "step copy"] {
            assert!(ended.said.contains(said), "{said:?} in {}", ended.said);
        }
        let state = scene.state();
        assert_eq!(state.executions, [("FAILED".to_owned(), false)]);
        assert!(state.steps[0].commits > 0, "{state:?}");
        assert!(state.messages[0].contains("File too large"), "{:?}", state.messages);
        scene.complete();
    }
}

#[test]
fn a_database_that_does_not_fit_ends_the_run_and_goes_on_when_there_is_room() {
    for (kind, chunk, kib) in [(Kind::Load, 10, 400), (Kind::Load, 100, 800), (Kind::Copy, 1, 300)] {
        let scene = if kind == Kind::Load { wide(kind, chunk) } else { Scene::new(kind, chunk, 300) };
        let ended = run_limited(&scene.spec, kib);
        assert!(matches!(ended.code(), Some(1 | 7)), "{kind:?} {chunk}: {ended:?}");
        for said in ["job.db", "disk"] {
            assert!(ended.said.contains(said), "{said:?} in {}", ended.said);
        }
        assert!(scene.state().steps[0].commits > 0, "{kind:?} {chunk}: {ended:?}");
        scene.complete();
    }
}

/// In a mount namespace of its own, where that is allowed: a real ENOSPC.
#[test]
fn a_full_disk_ends_the_run_and_it_goes_on_when_there_is_room() {
    if !Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|status| status.success()) {
        println!("mount namespaces are not allowed here; the limits of file size above must do");
        return;
    }
    let mut codes = Vec::new();
    for (kind, chunk) in [(Kind::Load, 10), (Kind::Copy, 30), (Kind::CopyInTransaction, 30)] {
        let scene = wide(kind, chunk);
        let small = scene.path().join("small");
        fs::create_dir(&small).unwrap();
        let script = "mount -t tmpfs -o size=2400k tmpfs \"$S\" && cp \"$F\"/in.csv \"$F\"/job.db \"$S\" && \"$0\" \"$@\"; echo \"code $?\" >&2
            mount -o remount,size=64m \"$S\" && \"$0\" \"$@\"; echo \"code $?\" >&2; rm \"$S\"/in.csv; cp \"$S\"/* \"$F\"";
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).args(ARGUMENTS);
        command.env("S", &small).env("F", scene.path());
        orders(&mut command, &Spec { folder: small, ..scene.spec.clone() }, "");
        let ended = Worker::spawn(command).finish();
        let said: Vec<_> = ended.said.lines().filter_map(|line| line.strip_prefix("code ")).map(str::to_owned).collect();
        assert!(["1", "7"].contains(&said[0].as_str()) && said[1] == "0", "{kind:?}: {ended:?}");
        assert!(ended.said.contains("No space left on device") || ended.said.contains("disk is full"), "{ended:?}");
        codes.push(said[0].clone());
        let state = audit::state(scene.path());
        audit::check_complete(&state, &scene.expected, scene.path(), kind);
        assert_eq!(state.executions.len(), 2, "{ended:?}");
    }
    println!("exit codes on a full disk: {codes:?}");
}
