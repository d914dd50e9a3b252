//! A tuner killed at every point and at random moments: the real job, which was killed itself before, goes on as if there had been none.

mod worker;

use crate::{
    audit::copied,
    points::{Told, seed},
    process::{pause, run},
    scene::Scene,
    worker::Kind,
};
use rustix::process::Signal;
use std::{collections::BTreeMap, fs, time::Duration};
use worker::{Orders, Way};

/// Kills at random moments, each way.
const AT_RANDOM: usize = 20;
/// Tuners killed between two tries of one job.
const TUNERS: usize = 15;

/// Where a tuner is killed: at a passage of a point, or after so many microseconds.
#[derive(Debug, Clone)]
enum Kill {
    At(String, u64),
    After(u64),
}

#[test]
fn a_killed_tuner_changes_nothing_of_a_real_job() {
    let seed = seed();
    std::thread::scope(|scope| {
        for way in [Way::Committed, Way::RolledBack] {
            scope.spawn(move || kill_tuners(way, seed));
        }
    });
}

fn kill_tuners(way: Way, seed: u64) {
    let told = format!("BATCH_KILL_SEED={seed} {way:?}");
    let _told = Told(&told);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kills: Vec<_> = passages(way).into_iter().flat_map(|(point, last)| at(&point, last)).collect();
    kills.extend((0..AT_RANDOM).map(|_| Kill::After(random.u64(..100_000))));
    random.shuffle(&mut kills);
    kills.chunks(TUNERS).for_each(|kills| between_two_tries(way, kills));
    println!("{} tuners killed: {way:?}", kills.len());
}

/// A job that was killed.
fn killed() -> Scene {
    let scene = Scene::new(Kind::Load, 10, 300);
    assert!(run(&scene.spec, "chunk.committed=kill@5").killed());
    scene
}

/// How often an undisturbed tuner passes each point.
fn passages(way: Way) -> BTreeMap<String, u64> {
    let scene = killed();
    let file = scene.path().join("passages.json");
    let orders = Orders { passages: Some(file.clone()), ..orders(&scene, way) };
    let ended = orders.start("").finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The first passage, and one in the middle: how often reading ahead passes a point is not the same each time.
fn at(point: &str, last: u64) -> Vec<Kill> {
    let mut passes = vec![1, last.div_ceil(2)];
    passes.dedup();
    passes.into_iter().map(|pass| Kill::At(point.to_owned(), pass)).collect()
}

fn orders(scene: &Scene, way: Way) -> Orders {
    Orders { spec: scene.spec.clone(), way, passages: None }
}

/// The job is killed, then one tuner after the other; the job goes on where it was.
fn between_two_tries(way: Way, kills: &[Kill]) {
    let scene = killed();
    let (before, orders) = (scene.state(), orders(&scene, way));
    for kill in kills {
        let told = format!("{kill:?}");
        let _told = Told(&told);
        kill_at(&orders, kill);
        assert_eq!(scene.state(), before, "the job, its progress and its table");
    }
    let records = records(&scene);
    let most = if way == Way::Committed { kills.len() as i64 } else { 0 };
    assert!(records <= most, "{records} instances of {} tuners", kills.len());
    let ended = orders.start("").finish();
    assert_eq!(ended.code(), Some(0), "what the others left does not disturb a tuner: {ended:?}");
    assert!(self::records(&scene) <= records, "and it leaves nothing itself");
    let state = scene.complete();
    assert_eq!((state.executions.len(), &state.steps[0].counts), (2, &before.steps[0].counts));
}

fn kill_at(orders: &Orders, kill: &Kill) {
    match kill {
        Kill::At(point, pass) => {
            let ended = orders.start(&format!("{point}=kill@{pass}")).finish();
            assert!(ended.killed(), "not killed: {ended:?}");
        }
        Kill::After(micros) => {
            let mut tuner = orders.start("");
            pause(Duration::from_micros(*micros));
            tuner.signal(Signal::KILL);
            let ended = tuner.finish();
            assert!(ended.killed() || ended.code() == Some(0), "{ended:?}");
        }
    }
}

/// Instances in the repository but for the job's own, all of them under the name that tuners have.
fn records(scene: &Scene) -> i64 {
    let names = copied(&scene.path().join("job.db"), async |conn| {
        sqlx::query_scalar::<_, String>("SELECT job_name FROM batch_instance WHERE job_name <> 'kill'").fetch_all(conn).await
    });
    assert!(names.iter().all(|name| name == "batch-tuner"), "{names:?}");
    names.len() as i64
}
