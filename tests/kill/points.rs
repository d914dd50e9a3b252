//! A thousand kills: at every point of the protocol, and at random moments.

use crate::{
    audit::Skip,
    process::{Worker, pause, run},
    scene::Scene,
    servers::matrix::is_of_servers,
    worker::{KINDS, Kind, Spec},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Kills in all, at least.
const KILLS: usize = 1_000;
/// Of which at random moments, at least.
const AT_RANDOM: usize = 200;
pub(crate) const ROWS: u64 = 300;
/// One chunk an item, several, and one for all.
pub(crate) const CHUNKS: [usize; 3] = [1, 10, ROWS as usize + 1];

/// Undisturbed runs: how often they pass each point, and the reasons of the skips.
pub(crate) struct Baseline {
    pub(crate) passages: BTreeMap<String, u64>,
    /// Of a run that goes on where one was killed at [`EARLIER`].
    restart: BTreeMap<String, u64>,
    pub(crate) skips: Vec<Skip>,
}

/// Where the run before a restart is killed.
const EARLIER: &str = "chunk.committed=kill@1";

pub(crate) fn baseline(kind: Kind, chunk: usize) -> Baseline {
    let (passages, skips) = passages(&Scene::new(kind, chunk, ROWS));
    let scene = Scene::new(kind, chunk, ROWS);
    assert!(run(&scene.spec, EARLIER).killed());
    let (restart, _) = self::passages(&scene);
    Baseline { passages, restart, skips }
}

fn passages(scene: &Scene) -> (BTreeMap<String, u64>, Vec<Skip>) {
    let file = scene.path().join("passages.json");
    let ended = run(&Spec { passages: Some(file.clone()), ..scene.spec.clone() }, "");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let state = scene.completed();
    (serde_json::from_slice(&fs::read(file).unwrap()).unwrap(), state.skips)
}

/// Where a first run is killed.
#[derive(Debug, Clone)]
enum Kill {
    At(String, u64),
    /// At the first passage of a restart.
    Restart(String),
    Random,
}

struct Case<'a> {
    kind: Kind,
    chunk: usize,
    kill: Kill,
    baseline: &'a Baseline,
}

pub(crate) type Baselines = BTreeMap<(Kind, usize), Baseline>;

pub(crate) fn baselines() -> Baselines {
    KINDS.iter().flat_map(|kind| CHUNKS.map(|chunk| ((*kind, chunk), baseline(*kind, chunk)))).collect()
}

/// Every point at its first, second and last passage, and at the first of a restart.
fn exhaustive(baselines: &Baselines) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for (&(kind, chunk), baseline) in baselines {
        if chunk == CHUNKS[1] {
            let restart = |point: &String| Case { kind, chunk, kill: Kill::Restart(point.clone()), baseline };
            cases.extend(baseline.restart.keys().map(restart));
        }
        for (point, &last) in &baseline.passages {
            let passages: BTreeSet<u64> = [1, 2, last].into_iter().filter(|p| *p <= last).collect();
            cases.extend(passages.into_iter().map(|pass| Case { kind, chunk, kill: Kill::At(point.clone(), pass), baseline }));
        }
    }
    cases
}

/// Every point that the sources name.
pub(crate) fn named() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for crate_name in ["batch-core", "batch-sql", "batch-csv"] {
        collect(&root.join(crate_name).join("src"), &mut names);
    }
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, names);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            names.extend(text.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

pub(crate) fn seed() -> u64 {
    std::env::var("BATCH_KILL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..))
}

#[test]
fn a_thousand_kills_lose_nothing_and_repeat_nothing() {
    let seed = seed();
    println!("BATCH_KILL_SEED={seed}");
    let baselines = baselines();
    let passed: BTreeSet<_> = baselines.values().flat_map(|b| b.passages.keys().chain(b.restart.keys()).cloned()).collect();
    let missed: Vec<_> = named().difference(&passed).filter(|name| !is_of_servers(name)).cloned().collect();
    assert!(missed.is_empty(), "no run passes these points, so nothing is killed there: {missed:?}");
    let mut cases = exhaustive(&baselines);
    fastrand::Rng::with_seed(seed).shuffle(&mut cases);
    let kills = Kills::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) * 2 {
            scope.spawn(|| work(&cases, &baselines, &next, &kills, seed));
        }
    });
    let kills = kills.0.into_inner().unwrap();
    let all: usize = kills.values().sum();
    println!("{all} kills, {} kinds of them: {kills:?}", kills.len());
    assert!(all >= KILLS, "only {all} kills");
}

/// How many kills there were, by what and where.
#[derive(Default)]
struct Kills(Mutex<BTreeMap<String, usize>>);

impl Kills {
    fn add(&self, what: &str) {
        *self.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    fn of(&self, what: &str) -> usize {
        self.0.lock().unwrap().get(what).copied().unwrap_or(0)
    }

    fn all(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }
}

fn work(cases: &[Case<'_>], baselines: &Baselines, next: &AtomicUsize, kills: &Kills, seed: u64) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
        if let Some(case) = cases.get(number) {
            story(case, ROWS, &mut random, kills, seed);
        } else if kills.all() < KILLS || kills.of("at random") < AT_RANDOM {
            let (kind, chunk) = (KINDS[number % 3], CHUNKS[number / 3 % 2]);
            story(&Case { kind, chunk, kill: Kill::Random, baseline: &baselines[&(kind, chunk)] }, ROWS, &mut random, kills, seed);
        } else {
            return;
        }
    }
}

/// Kills the first run where the case says, later ones now and then, and compares what the last one leaves.
fn story(case: &Case<'_>, rows: u64, random: &mut fastrand::Rng, kills: &Kills, seed: u64) {
    let told = format!("BATCH_KILL_SEED={seed} {:?} chunk {} {:?}", case.kind, case.chunk, case.kill);
    let _told = Told(&told);
    let mut scene = Scene::new(case.kind, case.chunk, rows);
    scene.spec.fsync = random.u32(..16) == 0;
    match &case.kill {
        Kill::At(point, pass) => {
            let ended = run(&scene.spec, &format!("{point}=kill@{pass}"));
            assert!(ended.killed(), "not killed: {ended:?}");
            kills.add(point);
            scene.state();
        }
        Kill::Restart(point) => {
            assert!(run(&scene.spec, EARLIER).killed());
            let ended = run(&scene.spec, &format!("{point}=kill@1"));
            assert!(ended.killed(), "not killed: {ended:?}");
            kills.add(EARLIER.split('=').next().unwrap());
            kills.add(point);
            scene.state();
        }
        Kill::Random => while kill_at_random(&scene, random, kills) {},
    }
    while random.u32(..3) == 0 && kill_again(&scene, case.baseline, random, kills) {}
    let state = scene.complete_again();
    assert_eq!(state.skips, case.baseline.skips, "skip records and their reasons");
}

/// Kills a run after up to 200 ms; false when it ended before.
fn kill_at_random(scene: &Scene, random: &mut fastrand::Rng, kills: &Kills) -> bool {
    let mut worker = Worker::start(&scene.spec, "");
    pause(Duration::from_micros(random.u64(..200_000)));
    worker.signal(rustix::process::Signal::KILL);
    let ended = worker.finish();
    let state = scene.state();
    if ended.killed() {
        kills.add("at random");
    } else {
        assert_eq!(ended.code(), Some(0), "{ended:?}");
    }
    ended.killed() && state.executions.last().is_none_or(|(status, _)| status != "COMPLETED")
}

/// Kills a restart at some point; false when it did not pass there, or nothing was left to do.
fn kill_again(scene: &Scene, baseline: &Baseline, random: &mut fastrand::Rng, kills: &Kills) -> bool {
    let point = random.choice(baseline.passages.keys()).unwrap();
    let ended = run(&scene.spec, &format!("{point}=kill@{}", random.u64(1..=4)));
    scene.state();
    if ended.killed() {
        kills.add(point);
    } else {
        assert!(matches!(ended.code(), Some(0 | 5)), "{ended:?}");
    }
    ended.killed()
}

/// Says which story failed.
pub(crate) struct Told<'a>(pub(crate) &'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed: {}", self.0);
        }
    }
}
