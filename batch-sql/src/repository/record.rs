//! Rows of the repository's tables, decoded; damage is told from failure.

use crate::error::{Fail, Outcome};
use crate::sql::{FromCell, Row, Value};
use batch_core::{
    BatchStatus, Checkpoint, Context, Counts, Error, ErrorKind, ExitStatus, JobExecution, JobInstance, Parameter, ParameterValue,
    Parameters, SkipRecord, StepExecution,
};
use serde::de::DeserializeOwned;
use std::{fmt::Display, str::FromStr};

/// Characters kept of the reason of a skip.
const REASON_LIMIT: usize = 10_000;
/// Characters kept of a skipped item: a dead letter must be whole to be sent again, yet one record must not fill the disk.
const ITEM_LIMIT: usize = 4 << 20;

/// The stored form of a count; SQLite has no unsigned integers.
pub(crate) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A text without NUL and of bounded length.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(limit).collect()
}

/// The exit message as it is stored, also where it was not made by [`ExitStatus::new`].
pub(crate) fn message(exit: &ExitStatus) -> String {
    clean(&exit.message, ExitStatus::MESSAGE_LIMIT)
}

/// The stored form of a context.
pub(crate) fn context(context: &Context) -> String {
    serde_json::json!(context).to_string()
}

/// The type's word and the value's JSON, as they are stored; `None` for a secret.
pub(crate) fn parameter(value: &ParameterValue) -> Option<(String, String)> {
    let json = serde_json::to_value(value).ok()?;
    Some((json.get("type")?.as_str()?.to_owned(), json.get("value")?.to_string()))
}

/// The row of a skip record.
pub(crate) fn skip(step: i64, skip: &SkipRecord) -> Vec<Value> {
    vec![
        step.into(),
        skip.phase.as_str().into(),
        count(skip.number).into(),
        skip.line.map(count).into(),
        skip.byte.map(count).into(),
        skip.column.as_deref().map(|c| clean(c, REASON_LIMIT)).into(),
        clean(&skip.reason, REASON_LIMIT).into(),
        skip.item.as_deref().map(|i| clean(i, ITEM_LIMIT)).into(),
    ]
}

/// A row of `table`, whose number stands in `id`.
pub(crate) struct Record<'a> {
    row: &'a Row,
    table: &'static str,
}

impl<'a> Record<'a> {
    pub(crate) fn new(table: &'static str, row: &'a Row) -> Self {
        Self { row, table }
    }

    pub(crate) fn get<T: FromCell<'a>>(&self, column: &str) -> Outcome<T> {
        self.row.get(column).map_err(|e| self.damaged(column, e))
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&self, column: &str) -> Outcome<T> {
        self.get::<&str>(column)?.parse().map_err(|e| self.damaged(column, e))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Outcome<T> {
        serde_json::from_str(self.get(column)?).map_err(|e| self.damaged(column, e))
    }

    pub(super) fn count(&self, column: &str) -> Outcome<u64> {
        self.get::<i64>(column)?.try_into().map_err(|e| self.damaged(column, e))
    }

    /// Kind `NeedsOperator`: to go on from damaged data could lose or repeat some.
    pub(crate) fn damaged(&self, column: &str, why: impl Display) -> Fail {
        let id: i64 = self.row.get("id").unwrap_or_default();
        let what = "the repository's data is corrupt; repair the row from a backup, or launch with another identifying parameter";
        Error::new(ErrorKind::NeedsOperator, format!("{what}: {why}"))
            .with("table", self.table)
            .with("row", id)
            .with("column", column)
            .into()
    }

    fn exit_status(&self) -> Outcome<ExitStatus> {
        Ok(ExitStatus { code: self.get("exit_code")?, message: self.get("exit_message")? })
    }

    /// An execution joined with its instance, without parameters and steps.
    pub(crate) fn execution(&self) -> Outcome<JobExecution> {
        self.execution_of(JobInstance { id: self.get("instance_id")?, ..self.instance()? })
    }

    /// An execution of a known instance, without parameters and steps.
    pub(crate) fn execution_of(&self, instance: JobInstance) -> Outcome<JobExecution> {
        Ok(JobExecution {
            id: self.get("id")?,
            instance,
            parameters: Parameters::new(),
            status: self.parse("status")?,
            exit_status: self.exit_status()?,
            created: self.get("create_time")?,
            started: self.get("start_time")?,
            ended: self.get("end_time")?,
            last_updated: self.get("last_updated")?,
            context: self.json("context")?,
            steps: Vec::new(),
        })
    }

    pub(crate) fn instance(&self) -> Outcome<JobInstance> {
        Ok(JobInstance { id: self.get("id")?, job_name: self.get("job_name")?, job_key: self.get("job_key")? })
    }

    pub(crate) fn step(&self) -> Outcome<StepExecution> {
        Ok(StepExecution {
            id: self.get("id")?,
            execution_id: self.get("execution_id")?,
            name: self.get("step_name")?,
            status: self.status()?,
            exit_status: self.exit_status()?,
            start_no: self.get("start_no")?,
            epoch: self.get("epoch")?,
            commit_no: self.get("commit_no")?,
            counts: self.counts()?,
            checkpoint: self.checkpoint()?,
            context: self.json("context")?,
            started: self.get("start_time")?,
            ended: self.get("end_time")?,
            last_updated: self.get("last_updated")?,
        })
    }

    pub(crate) fn status(&self) -> Outcome<BatchStatus> {
        self.parse("status")
    }

    fn checkpoint(&self) -> Outcome<Checkpoint> {
        Checkpoint::decode(self.get("checkpoint")?).map_err(|e| self.damaged("checkpoint", e))
    }

    fn counts(&self) -> Outcome<Counts> {
        Ok(Counts {
            read: self.count("read_count")?,
            written: self.count("write_count")?,
            filtered: self.count("filter_count")?,
            read_skips: self.count("read_skip_count")?,
            process_skips: self.count("process_skip_count")?,
            write_skips: self.count("write_skip_count")?,
            commits: self.count("commit_count")?,
            rollbacks: self.count("rollback_count")?,
        })
    }

    pub(crate) fn skip(&self) -> Outcome<SkipRecord> {
        let number = |column| self.get::<Option<i64>>(column)?.map(|_| self.count(column)).transpose();
        Ok(SkipRecord {
            phase: self.parse("phase")?,
            number: self.count("record_number")?,
            line: number("line")?,
            byte: number("byte")?,
            column: self.get("column_name")?,
            reason: self.get("reason")?,
            item: self.get("item")?,
        })
    }

    /// A parameter with its name.
    pub(crate) fn parameter(&self) -> Outcome<(String, Parameter)> {
        let value: serde_json::Value = self.json("value")?;
        let tagged = serde_json::json!({ "type": self.get::<&str>("type")?, "value": value });
        let value = serde_json::from_value(tagged).map_err(|e| self.damaged("value", e))?;
        Ok((self.get("name")?, Parameter { value, identifying: self.get("identifying")? }))
    }
}
