//! Launch, restart, stop, pause, resume, abandon.

/// Placeholder.
#[derive(Debug)]
pub struct JobOperator;
