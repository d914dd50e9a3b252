//! What is stored of a launch's parameters.

use super::{
    Fixture,
    story::{Run, launch},
};
use crate::{
    execution::{BatchStatus, ParameterValue, Parameters},
    repository::{Launch, Owner},
};
use chrono::{NaiveDate, NaiveDateTime};

/// Each try keeps its own; those of an earlier one are never altered.
pub async fn parameters_of_executions_are_not_mixed<F: Fixture>(f: &F) {
    let of = |parameters: &Parameters| Launch { parameters: parameters.clone(), ..launch(Owner::current()) };
    let few = Parameters::new().set("input", "a.csv").set_other("comment", "first");
    let more = few.clone().set_other("comment", "second").set_other("limit", 5);
    let first = Run::of(f, of(&few)).await;
    first.end(BatchStatus::Failed).await;
    let second = Run::of(f, of(&more)).await;
    second.end(BatchStatus::Failed).await;
    let third = Run::of(f, of(&Parameters::new())).await;
    let stored = [first.stored().await, second.stored().await, third.stored().await];
    assert_eq!(stored.map(|e| e.parameters), [few, more, Parameters::new()]);
}

/// Neither with the execution that is returned nor with the one that is read, even where the launch carries them.
pub async fn secrets_are_never_stored<F: Fixture>(f: &F) {
    let parameters = Parameters::new().set("input", "a.csv").set_secret("password", "hunter2");
    let run = Run::of(f, Launch { parameters, ..launch(Owner::current()) }).await;
    for execution in [&run.launched.execution, &run.stored().await] {
        assert!(execution.parameters.contains("input") && !execution.parameters.contains("password"));
        assert!(!format!("{execution:?}{}", serde_json::json!(execution)).contains("hunter2"));
    }
}

/// With its type, its value to the last digit, and whether it identifies.
pub async fn every_type_comes_back<F: Fixture>(f: &F) {
    let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let time: NaiveDateTime = date.and_hms_micro_opt(23, 59, 59, 123_456).unwrap();
    let values = [
        ParameterValue::String(String::new()),
        ParameterValue::String("日本語 🚀 '\"\\\n\t ".to_owned()),
        ParameterValue::Long(i64::MIN),
        ParameterValue::Long(i64::MAX),
        ParameterValue::Double(0.1),
        ParameterValue::Double(-1.797_693_134_862_315_7e308),
        ParameterValue::Double(5e-324),
        ParameterValue::Boolean(false),
        ParameterValue::Date(date),
        ParameterValue::DateTime(time),
        ParameterValue::List(vec!["a,b".to_owned(), String::new()]),
        ParameterValue::List(Vec::new()),
    ];
    let mut parameters = Parameters::new();
    for (i, value) in values.iter().enumerate() {
        parameters = parameters.set(&format!("identifying {i}"), value.clone()).set_other(&format!("other {i}"), value.clone());
    }
    let run = Run::of(f, Launch { parameters: parameters.clone(), ..launch(Owner::current()) }).await;
    assert_eq!(run.stored().await.parameters, parameters);
}

/// Longer than any column of characters: a list of files, say.
pub async fn a_value_may_be_long<F: Fixture>(f: &F) {
    let parameters = Parameters::new().set("files", "x".repeat(100_000)).set("name", "日".repeat(1_000));
    let run = Run::of(f, Launch { parameters: parameters.clone(), ..launch(Owner::current()) }).await;
    assert_eq!(run.stored().await.parameters, parameters);
}
