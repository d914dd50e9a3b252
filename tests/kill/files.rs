//! Files that are changed by others between a kill and the restart.

use crate::{audit, process::run, scene::Scene, worker::Kind};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

const FILES: [Kind; 2] = [Kind::Copy, Kind::CopyInTransaction];

fn killed(kind: Kind, point: &str) -> Scene {
    let scene = Scene::new(kind, 10, 300);
    assert!(run(&scene.spec, point).killed());
    scene
}

/// The run is refused with code 6 and says all of `words`; nothing is changed by it.
fn refused(scene: &Scene, file: &Path, words: &[&str]) {
    let before = fs::read(file).ok();
    let commits = || audit::state(scene.path()).steps.iter().map(|s| s.commits).sum::<i64>();
    let committed = commits();
    let ended = run(&scene.spec, "");
    assert_eq!(ended.code(), Some(6), "{ended:?}");
    let name = file.display().to_string();
    for said in words.iter().chain(&["job kill", "step", &name]) {
        assert!(ended.said.contains(said), "{said:?} in {}", ended.said);
    }
    assert_eq!(fs::read(file).ok(), before, "a refused run changes nothing");
    assert_eq!(commits(), committed);
}

fn append(file: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(file).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_a_killed_run_left_behind_its_checkpoint_is_cut_off() {
    for kind in FILES {
        for garbage in [&b"x"[..], b"1,tools,5,plain\n", &[0xff; 10_000]] {
            let scene = killed(kind, "chunk.committed=kill@5");
            append(&scene.path().join("out.csv.part"), garbage);
            scene.complete();
        }
        // Even where nothing is left to be written.
        let scene = killed(kind, "step.finishing=kill@1");
        append(&scene.path().join("out.csv.part"), b"garbage");
        scene.complete();
    }
}

#[test]
fn a_part_file_that_is_not_as_it_was_is_refused_until_it_is_put_back() {
    type Change = fn(&Path, &[u8]);
    let changes: [(Change, &str); 4] = [
        (|file, bytes| fs::write(file, &bytes[..bytes.len() - 300]).unwrap(), "at the last commit it had"),
        (|file, _| fs::write(file, b"").unwrap(), "it has 0 bytes"),
        (|file, bytes| fs::write(file, vec![b'x'; bytes.len()]).unwrap(), "are not those of the last commit"),
        (|file, _| fs::remove_file(file).unwrap(), "the part file is gone"),
    ];
    for kind in FILES {
        for (change, words) in changes {
            let scene = killed(kind, "chunk.committed=kill@8");
            let part = scene.path().join("out.csv.part");
            let bytes = fs::read(&part).unwrap();
            change(&part, &bytes);
            let named = if part.exists() { part.clone() } else { scene.path().join("out.csv") };
            refused(&scene, &named, &[words, "put it back, or start a new instance"]);
            fs::write(&part, bytes).unwrap();
            scene.complete();
        }
    }
}

#[test]
fn a_published_file_that_is_gone_or_changed_is_refused_until_it_is_put_back() {
    let scene = killed(Kind::Copy, "csv.publish.renamed=kill@1");
    let out = scene.path().join("out.csv");
    let bytes = fs::read(&out).unwrap();
    fs::remove_file(&out).unwrap();
    refused(&scene, &out, &["there is no output file"]);
    fs::write(&out, [&bytes[..], b"more"].concat()).unwrap();
    refused(&scene, &out, &["the output file is longer than"]);
    fs::write(&out, bytes).unwrap();
    scene.complete();
}

#[test]
fn an_input_that_changed_is_refused_until_it_is_put_back() {
    type Change = fn(Vec<u8>) -> Vec<u8>;
    let changes: [(Change, &str); 3] = [
        (|bytes| [bytes, b"999,tools,1,more\n".to_vec()].concat(), "at the last commit it had"),
        (|mut bytes| bytes.split_off(100), "at the last commit it had"),
        (
            |mut bytes| {
                bytes[30] ^= 1;
                bytes
            },
            "are not what they were at the last commit",
        ),
    ];
    for kind in [Kind::Load, Kind::Copy] {
        for (change, words) in changes {
            let scene = killed(kind, "chunk.committed=kill@5");
            let input: PathBuf = scene.path().join("in.csv");
            let bytes = fs::read(&input).unwrap();
            fs::write(&input, change(bytes.clone())).unwrap();
            refused(&scene, &input, &[words, "put the file of the last run back, or start a new instance"]);
            fs::write(&input, bytes).unwrap();
            scene.complete();
        }
    }
}

#[test]
fn an_input_that_is_gone_is_a_mistake_of_configuration() {
    let scene = killed(Kind::Load, "chunk.committed=kill@5");
    let input = scene.path().join("in.csv");
    let away = scene.path().join("away.csv");
    fs::rename(&input, &away).unwrap();
    let ended = run(&scene.spec, "");
    assert_eq!(ended.code(), Some(2), "{ended:?}");
    assert!(ended.said.contains("does not exist") && ended.said.contains("in.csv"), "{ended:?}");
    fs::rename(&away, &input).unwrap();
    scene.complete();
}
