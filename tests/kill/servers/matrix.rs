//! A thousand kills more: at every point that a job passes on a server, and at random moments.

use super::{
    scene::{BRANDS, Brand, Scene},
    worker::{KINDS, Kind, Orders, ROWS},
};
use crate::{
    points::{Told, named, seed},
    process::pause,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Kills in all, at least.
const KILLS: usize = 1_000;
const CHUNKS: [usize; 3] = [1, 10, ROWS as usize + 1];

/// Passed where a restart finds rows whose checkpoint's copy is missing.
const ADOPTED: &str = "ledger.adopted";

type Case = (Kind, usize, Option<(String, u64)>);

#[test]
fn a_thousand_kills_on_servers_lose_and_repeat_nothing() {
    let seed = seed();
    let kills = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for brand in BRANDS {
            let cases = cases(brand);
            let (next, kills) = (AtomicUsize::new(0), &kills);
            let shared = std::sync::Arc::new((cases, next));
            for _ in 0..2 {
                let shared = shared.clone();
                scope.spawn(move || work(brand, &shared.0, &shared.1, kills, seed));
            }
        }
    });
    println!("| killed at | database | runs | failures |\n|---|---|---|---|");
    let kills = kills.into_inner().unwrap();
    for ((what, brand), runs) in &kills {
        println!("| {what} | {brand:?} | {runs} | 0 |");
    }
    let missed: Vec<_> = named().into_iter().filter(|name| is_of_servers(name) && !killed_at(&kills, name)).collect();
    assert!(missed.is_empty(), "nothing is killed at these points: {missed:?}");
    let all: usize = kills.values().sum();
    assert!(all >= KILLS, "only {all} kills");
    println!("{all} kills on servers");
}

/// Whether a point is passed only here.
pub(crate) fn is_of_servers(point: &str) -> bool {
    ["server.", "unit.", "ledger."].iter().any(|area| point.starts_with(area))
}

fn killed_at(kills: &BTreeMap<(String, Brand), usize>, point: &str) -> bool {
    BRANDS.iter().all(|brand| kills.contains_key(&(format!("`{point}`"), *brand)))
}

/// Every point that an undisturbed run passes, at its first, second and last passage.
fn cases(brand: Brand) -> Vec<Case> {
    let mut scene = Scene::new(brand);
    let mut cases: Vec<Case> =
        [Kind::Elsewhere, Kind::FlightElsewhere].map(|kind| (kind, CHUNKS[1], Some((ADOPTED.to_owned(), 1)))).into();
    for kind in KINDS {
        for chunk in chunks(kind) {
            let mut orders = scene.orders(kind, *chunk);
            let file = scene.folder.path().join("passages.json");
            orders.passages = Some(file.clone());
            scene.complete(&orders);
            let passages: BTreeMap<String, u64> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            for (point, last) in passages {
                // How often chunks in flight pass a point is not the same each time.
                let last = if kind.flies() { last.div_ceil(2) } else { last };
                let at: BTreeSet<u64> = [1, 2, last].into_iter().filter(|pass| (1..=last).contains(pass)).collect();
                cases.extend(at.into_iter().map(|pass| (kind, *chunk, Some((point.clone(), pass)))));
            }
        }
    }
    cases
}

/// Units have none, and one that holds everything has none beside it.
fn chunks(kind: Kind) -> &'static [usize] {
    match kind {
        Kind::Units => &CHUNKS[..1],
        Kind::Flight => &CHUNKS[..2],
        // Those of one item are killed by the hundred in `elsewhere`.
        Kind::FlightElsewhere => &CHUNKS[1..2],
        _ => &CHUNKS,
    }
}

type Kills = Mutex<BTreeMap<(String, Brand), usize>>;

fn work(brand: Brand, cases: &[Case], next: &AtomicUsize, kills: &Kills, seed: u64) {
    let mut scene = Scene::new(brand);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
        let case = match cases.get(number) {
            Some(case) => case.clone(),
            None if enough(brand, kills) => return,
            None => (KINDS[number % KINDS.len()], CHUNKS[number / 3 % 2], None),
        };
        let told = format!("BATCH_KILL_SEED={seed} {brand:?} {case:?}");
        let _told = Told(&told);
        story(&mut scene, brand, &case, &mut random, kills);
    }
}

fn enough(brand: Brand, kills: &Kills) -> bool {
    let kills = kills.lock().unwrap();
    kills.iter().filter(|((_, of), _)| *of == brand).map(|(_, runs)| runs).sum::<usize>() >= KILLS / BRANDS.len()
}

/// Kills a run where the case says, a restart or two at random, and compares what the last one leaves.
fn story(scene: &mut Scene, brand: Brand, (kind, chunk, kill): &Case, random: &mut fastrand::Rng, kills: &Kills) {
    let orders = scene.orders(*kind, *chunk);
    match kill {
        Some((point, pass)) => {
            if point == ADOPTED {
                assert!(orders.start("ledger.committed=kill@1").finish().killed());
            }
            let ended = orders.start(&format!("{point}=kill@{pass}")).finish();
            assert!(ended.killed(), "not killed: {ended:?}");
            count(kills, &format!("`{point}`"), brand);
        }
        None => kill_at_random(&orders, brand, random, kills),
    }
    scene.check(&orders);
    while random.u32(..2) == 0 {
        kill_at_random(&orders, brand, random, kills);
        scene.check(&orders);
    }
    scene.complete(&orders);
}

fn kill_at_random(orders: &Orders, brand: Brand, random: &mut fastrand::Rng, kills: &Kills) {
    let mut worker = orders.start("");
    pause(Duration::from_micros(random.u64(..150_000)));
    worker.signal(rustix::process::Signal::KILL);
    let ended = worker.finish();
    if ended.killed() {
        count(kills, "at random", brand);
    } else {
        let failed = orders.kind == Kind::Units && ended.code() == Some(1);
        assert!(failed || matches!(ended.code(), Some(0 | 5)), "{ended:?}");
    }
}

fn count(kills: &Kills, what: &str, brand: Brand) {
    *kills.lock().unwrap().entry((what.to_owned(), brand)).or_default() += 1;
}
