//! Parameters and identity: rows PI.

use crate::{
    backends::{Backend, on_every_backend},
    doubles::{Fault, Once, Play, parameters},
};
use batch_core::{ErrorKind, Page, ParameterRules, Parameters, Phase, StopHandle};
use parking_lot::Mutex;
use std::sync::Arc;

on_every_backend![
    pi01_each_try_keeps_its_own_parameters,
    pi03_a_job_without_parameters_restarts,
    pi04_other_parameters_do_not_make_another_instance,
    an_unknown_parameter_is_refused_before_anything_is_recorded,
    a_missing_or_mistyped_parameter_is_refused,
    a_parameter_missed_by_a_step_fails_it_as_a_configuration_error,
    a_secret_is_shown_and_stored_nowhere,
    a_secret_may_change_on_restart,
];

/// PI01 (A13).
async fn pi01_each_try_keeps_its_own_parameters<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    let more = parameters().set_other("note", "again").set_other("rate", 0.5);
    let first = play.run(&job).await.execution;
    let second = play.run_with(&job, more.clone(), &StopHandle::new()).await.execution;
    let explorer = play.explorer();
    assert_eq!(explorer.execution(first.id).await.expect("the first").parameters, parameters());
    assert_eq!(explorer.execution(second.id).await.expect("the second").parameters, more);
    assert_eq!(first.instance, second.instance);
    let both = explorer.executions(first.instance.id).await.expect("both");
    assert_eq!(
        both.iter().map(|e| (e.id, e.parameters.clone())).collect::<Vec<_>>(),
        [(second.id, more), (first.id, parameters())]
    );
}

/// PI03, and by number, where nothing has to be given again but secrets.
async fn pi03_a_job_without_parameters_restarts<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    let first = play.run(&job).await.execution;
    let changed = job.restart(first.id, parameters().set("run", 2)).await.expect_err("refused");
    assert_eq!(changed.kind(), ErrorKind::Configuration);
    let second = play.check(job.restart(first.id, Parameters::new()).await.expect("a run")).await;
    assert_eq!((second.tells(), second.execution.parameters), ("COMPLETED R=20 W=20 C=2".to_owned(), parameters()));

    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    for tells in ["FAILED R=10 W=10 C=1", "COMPLETED R=20 W=20 C=2"] {
        assert_eq!(play.run_with(&job, Parameters::new(), &StopHandle::new()).await.tells(), tells);
    }
    assert_eq!(play.refused(&job, Parameters::new()).await.kind(), ErrorKind::AlreadyComplete);
}

/// PI04.
async fn pi04_other_parameters_do_not_make_another_instance<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let job = play.job(|p, s| p.chunk(s, 10));
    play.run(&job).await;
    let refused = play.refused(&job, parameters().set_other("note", "again")).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::AlreadyComplete, 5));
    let other = play.run_with(&job, parameters().set("note", "again"), &StopHandle::new()).await;
    assert_eq!(other.tells(), "COMPLETED R=3 W=3 C=1");
    assert_eq!(play.explorer().instance_count("play").await.ok(), Some(2));
}

async fn an_unknown_parameter_is_refused_before_anything_is_recorded<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let rules = ParameterRules::new().require::<i64>("run").optional::<String>("note");
    let job = play.job(|p, s| p.chunk(s, 10)).parameters(rules);
    let refused = play.refused(&job, parameters().set("nonsense", 1)).await;
    assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::Configuration, 2));
    assert!(refused.report().contains("unknown parameter `nonsense`; the job takes run, note"), "{}", refused.report());
    assert!(play.explorer().job_names().await.expect("names").is_empty());
    assert_eq!(play.run(&job).await.tells(), "COMPLETED R=3 W=3 C=1");
}

async fn a_missing_or_mistyped_parameter_is_refused<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let job = play.job(|p, s| p.chunk(s, 10)).parameters(ParameterRules::new().require::<i64>("run"));
    let missing = play.refused(&job, Parameters::new()).await;
    assert_eq!(missing.kind(), ErrorKind::Configuration);
    assert!(missing.report().contains("parameter `run` is missing"), "{}", missing.report());
    let mistyped = play.refused(&job, Parameters::new().set("run", "one")).await;
    assert_eq!(mistyped.kind(), ErrorKind::Configuration);
    assert!(mistyped.report().contains("parameter `run` = one has the wrong type"), "{}", mistyped.report());
    assert!(play.explorer().job_names().await.expect("names").is_empty());
}

async fn a_parameter_missed_by_a_step_fails_it_as_a_configuration_error<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let acts = play.clone();
    let job = batch_core::Job::new("play", play.database()).step("act", move |s| {
        let size: usize = s.parameter("size")?;
        Ok(acts.chunk(s, size))
    });
    let error = play.refused(&job, parameters()).await;
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Configuration, 2));
    assert!(error.report().contains("parameter `size` is missing"), "{}", error.report());
    let instance = play.explorer().instances("play", Page::all()).await.expect("instances")[0].id;
    let status = play.explorer().executions(instance).await.expect("executions")[0].status;
    assert_eq!(status.as_str(), "FAILED");
    let ran = play.run_with(&job, parameters().set_other("size", 2), &StopHandle::new()).await;
    assert_eq!(ran.tells(), "COMPLETED R=3 W=3 C=2");
}

async fn a_secret_is_shown_and_stored_nowhere<B: Backend>() {
    let play = Play::<B>::new(3).await;
    let (acts, told) = (play.clone(), Arc::new(Mutex::new(String::new())));
    let heard = told.clone();
    let job = batch_core::Job::new("play", play.database()).step("act", move |s| {
        *heard.lock() = format!("{} {s:?}", s.parameter::<String>("password")?.len());
        Ok(acts.chunk(s, 10))
    });
    let given = parameters().set_secret("password", "hunter2!");
    let shown = format!("{given:?} {:?}", job.launch(given.clone()));
    assert!(!shown.contains("hunter2!") && shown.contains("***"), "{shown}");
    let execution = play.check(job.run(given).await.expect("a run")).await.execution;
    assert!(told.lock().starts_with("8 ") && !told.lock().contains("hunter2!"), "{}", told.lock());
    let recorded = play.explorer().executions(execution.instance.id).await.expect("executions");
    let stored = format!("{execution:?} {recorded:?} {}", serde_json::json!([execution, recorded]));
    assert!(!stored.contains("hunter2!") && !execution.parameters.contains("password"), "{stored}");
}

async fn a_secret_may_change_on_restart<B: Backend>() {
    let play = Play::<B>::new(30).await.fails(Phase::Read, [11], Fault::Y, Once);
    let job = play.job(|p, s| p.chunk(s, 10));
    for (secret, tells) in [("old", "FAILED R=10 W=10 C=1"), ("new", "COMPLETED R=20 W=20 C=2")] {
        let given = parameters().set_secret("password", secret);
        assert_eq!(play.run_with(&job, given, &StopHandle::new()).await.tells(), tells);
    }
}
