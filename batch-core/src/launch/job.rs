//! Running a job, by its parameters or by the number of an execution.

use super::Run;
use crate::{
    error::Error,
    execution::{JobExecution, Parameters},
    job::Job,
    transaction::Transactions,
};
use std::process::ExitCode;

impl<D: Transactions + Clone> Job<D> {
    /// Runs the job to its end, wherever that is: the execution says whether it completed, failed or was stopped.
    ///
    /// # Errors
    /// Where no execution was begun, or its end could not be recorded: already running, already complete, wrong parameters, repository
    /// out of reach, taken over by another process. Also where a step failed for a reason that has an exit code of its own (its input is
    /// missing, its checkpoint is damaged): the execution is then recorded as FAILED all the same.
    pub async fn run(&self, parameters: Parameters) -> Result<JobExecution, Error> {
        self.launch(parameters).run().await
    }

    /// A run with more to say: a handle to stop it, a limit of records.
    pub fn launch(&self, parameters: Parameters) -> Run<'_, D> {
        Run::new(self, parameters)
    }

    /// Runs the job as a program does: SIGTERM and Ctrl-C end it after the current chunk, a second one at once; errors go to standard
    /// error, and the exit code is the documented one.
    pub async fn main(&self, parameters: Parameters) -> ExitCode {
        let run = self.launch(parameters).stop_on_signals();
        exit_code(run.run().await)
    }
}

/// Prints what failed to standard error and gives the documented exit code of a run's outcome.
pub fn exit_code(outcome: Result<JobExecution, Error>) -> ExitCode {
    match outcome {
        Ok(execution) => {
            if execution.exit_code() != 0 {
                let message = &execution.exit_status.message;
                eprintln!("{}{}{message}", execution.status, if message.is_empty() { "" } else { ": " });
            }
            execution.exit_code().into()
        }
        Err(error) => {
            eprintln!("{}", error.report());
            error.kind().exit_code().into()
        }
    }
}
