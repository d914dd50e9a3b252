//! Trying an execution again by its number.

use crate::{
    error::{Error, ErrorKind},
    execution::{BatchStatus, JobExecution, Parameters},
    job::Job,
    transaction::Transactions,
};

impl<D: Transactions + Clone> Job<D> {
    /// Tries the instance of `execution` again, with that execution's parameters and those of `more`, which win.
    ///
    /// The same as running the job with the same identifying parameters; secrets, which are never stored, have to be in `more`.
    ///
    /// # Errors
    /// As for [`Job::run`]; besides, `NotFound` for an unknown execution, `Configuration` where it is another job's or not the instance's
    /// newest one, or where `more` would change an identifying parameter, `NeedsOperator` for one that was abandoned.
    pub async fn restart(&self, execution: i64, more: Parameters) -> Result<JobExecution, Error> {
        let explorer = self.database.repository().explorer();
        let before = explorer.execution(execution).await?;
        let refuse = |message: String| {
            Err(Error::new(ErrorKind::Configuration, message).with("job", &self.name).with("execution", execution))
        };
        if before.instance.job_name != self.name {
            return refuse(format!("the execution is one of job `{}`", before.instance.job_name));
        }
        if let Some(newest) = explorer.executions(before.instance.id).await?.first().filter(|newest| newest.id != execution) {
            return refuse(format!("the execution is not the most recent one of its instance; restart {} instead", newest.id));
        }
        if before.status == BatchStatus::Abandoned {
            let message = "the execution was given up (ABANDONED) and is never restarted";
            return Err(Error::new(ErrorKind::NeedsOperator, message).with("job", &self.name).with("execution", execution));
        }
        let parameters = before.parameters.and(more);
        if parameters.key_as(self.key_format) != before.instance.job_key {
            return refuse("a restart cannot change identifying parameters".to_owned());
        }
        self.run(parameters).await
    }
}
