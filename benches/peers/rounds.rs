//! Round by round: each contestant once a round, beginning with another one each time.

use crate::{
    check::Check,
    contestants::{copies, missing},
    measure::{Said, measure},
    options::Options,
    plan,
    result::{Entry, Results, Run, Variant},
};
use batch_core::Result;
use std::{fs, path::PathBuf};

/// What is to be measured, and what cannot be.
pub fn entries(options: &Options) -> Results {
    let runs =
        options.groups().into_iter().flat_map(|group| plan::group(group, options.chunk).into_iter().map(move |run| (group, run)));
    let wanted = runs.filter(|(_, run)| options.wants(run.who));
    let entry = |(group, run): (_, Run)| Entry { group, run, measurements: Vec::new(), given_up: cannot(&run, options) };
    let results = Results(wanted.map(entry).collect());
    results
        .0
        .iter()
        .filter_map(|entry| Some((entry.run, entry.given_up.as_ref()?)))
        .for_each(|(run, why)| eprintln!("{run}: {why}"));
    results
}

fn cannot(run: &Run, options: &Options) -> Option<String> {
    let data = folder(run, options).join("data/products.csv");
    if run.variant == Variant::TenTimes && !data.exists() {
        let make = format!("mkdir -p {} && python3 benches/peers/gen.py 10000000 {}", data.parent()?.display(), data.display());
        return Some(format!("no data; make 1 GB of it with {make}"));
    }
    missing(run.who, options)
}

fn folder(run: &Run, options: &Options) -> PathBuf {
    if run.variant == Variant::TenTimes { options.ten() } else { options.folder.clone() }
}

/// One round of all groups; in a group the one that is `round`th begins.
pub async fn round(round: usize, results: &mut Results, check: &mut Check, options: &Options) -> Result<()> {
    for entries in results.0.chunk_by_mut(|one, other| one.group == other.group) {
        let first = round % entries.len();
        let (later, sooner) = entries.split_at_mut(first);
        for entry in sooner.iter_mut().chain(later).filter(|entry| entry.given_up.is_none()) {
            one(round, entry, check, options).await?;
        }
    }
    Ok(())
}

async fn one(round: usize, entry: &mut Entry, check: &mut Check, options: &Options) -> Result<()> {
    let (run, folder) = (entry.run, folder(&entry.run, options));
    fs::create_dir_all(folder.join("out"))?;
    if run.workload.starts_with("w2") {
        copies(&run, &folder).iter().for_each(|path| _ = fs::remove_file(path));
    }
    if let Variant::FailedAt(hundredths) = run.variant {
        // What is gone on from afterwards.
        let failing = Run { workload: "w5", ..run };
        if let Said::Done(_) = measure(&failing, &folder, Some(check.fail_at(hundredths)), options)? {
            entry.given_up = Some("wrong: it did not fail".to_owned());
            return Ok(());
        }
    }
    check.checkpoint().await?;
    let said = measure(&run, &folder, None, options)?;
    let wrong = match said {
        Said::Done(measured) => {
            eprintln!("round {}: {run}, chunks of {}: {:.3} s, {} KiB", round + 1, run.chunk, measured.seconds, measured.peak);
            entry.measurements.push(measured);
            check.check(&run, &measured, &folder).await?
        }
        Said::Failed(why) => Some(why),
        Said::Unsupported(why) => Some(format!("not offered: {why}")),
    };
    if let Some(why) = wrong {
        eprintln!("{run}, chunks of {}: {why}", run.chunk);
        // What is wrong has no time.
        entry.measurements.clear();
        entry.given_up = Some(why);
    }
    Ok(())
}
