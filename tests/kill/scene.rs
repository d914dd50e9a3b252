//! A job with its input, its database and what must become of it.

use crate::{
    audit::{self, State},
    input::{self, Expected},
    process::run,
    worker::{Kind, Spec},
};
use std::path::Path;
use tempfile::TempDir;

/// A job in a folder of its own.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) spec: Spec,
    pub(crate) expected: Expected,
}

impl Scene {
    pub(crate) fn new(kind: Kind, chunk: usize, rows: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let expected = input::write(folder.path(), kind, rows);
        audit::prepare(folder.path());
        Self { spec: Spec::new(folder.path(), kind, chunk), folder, expected }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What a run left, after the rules that hold at every moment were checked.
    pub(crate) fn state(&self) -> State {
        let state = audit::state(self.path());
        audit::check(&state, self.path(), self.spec.kind);
        state
    }

    /// Runs to completion and compares with what must be.
    pub(crate) fn complete(&self) -> State {
        let ended = run(&self.spec, "");
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        self.completed()
    }

    /// What a complete job left, compared with what must be.
    pub(crate) fn completed(&self) -> State {
        let state = self.state();
        audit::check_complete(&state, &self.expected, self.path(), self.spec.kind);
        state
    }

    /// Like [`Scene::complete`], where a run that was killed after its last commit may have completed the job.
    pub(crate) fn complete_again(&self) -> State {
        let before = self.state();
        let complete = before.executions.last().is_some_and(|(status, _)| status == "COMPLETED");
        let ended = run(&self.spec, "");
        assert_eq!(ended.code(), Some(if complete { 5 } else { 0 }), "{ended:?}");
        let state = self.completed();
        if complete { before } else { state }
    }
}
