//! A job instance and one try of it.

use super::{BatchStatus, Context, ExitStatus, Parameters, StepExecution};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A job name together with the key of its identifying parameters: what is complete at most once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobInstance {
    /// The repository's number for it.
    pub id: i64,
    /// The job's name.
    pub job_name: String,
    /// Digest of the identifying parameters: [`Parameters::key`].
    pub job_key: String,
}

/// One try of a job instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobExecution {
    /// The repository's number for it.
    pub id: i64,
    /// What it is a try of.
    pub instance: JobInstance,
    /// This try's parameters; secrets are never stored.
    pub parameters: Parameters,
    /// Where it stands.
    pub status: BatchStatus,
    /// How it ended.
    pub exit_status: ExitStatus,
    /// When it was recorded.
    pub created: DateTime<Utc>,
    /// When its first step could begin.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// When its row last changed.
    pub last_updated: DateTime<Utc>,
    /// What completed steps saved for later ones.
    pub context: Context,
    /// Its step executions, oldest first, where the caller asked for them.
    pub steps: Vec<StepExecution>,
}

impl JobExecution {
    /// The process exit code of this outcome: 0 completed, 1 failed, 3 stopped, 4 lost to another process, 6 abandoned.
    pub fn exit_code(&self) -> u8 {
        match self.status {
            BatchStatus::Completed => 0,
            BatchStatus::Stopped => 3,
            BatchStatus::Abandoned => 6,
            BatchStatus::Failed => 1,
            BatchStatus::Starting | BatchStatus::Started | BatchStatus::Stopping => 4,
        }
    }

    /// The step execution of that name, if this try has one.
    pub fn step(&self, name: &str) -> Option<&StepExecution> {
        self.steps.iter().find(|s| s.name == name)
    }
}
