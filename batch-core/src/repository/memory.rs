//! The reference repository, in memory.

/// Placeholder.
#[derive(Debug, Clone, Default)]
pub struct Memory;
