//! What parameters a job takes.

use crate::{
    error::{Error, ErrorKind},
    execution::Parameters,
};
use serde::de::DeserializeOwned;
use std::fmt;

type Check = fn(&Parameters, &str) -> Result<(), Error>;

/// The names and types of a job's parameters; any other name is refused.
///
/// Checked before anything is recorded: a launch with wrong parameters leaves no trace. Kind `Configuration`, exit code 2.
#[derive(Clone, Default)]
pub struct ParameterRules {
    rules: Vec<Rule>,
}

#[derive(Clone)]
struct Rule {
    name: String,
    required: bool,
    check: Check,
}

impl ParameterRules {
    /// No parameter is taken.
    pub fn new() -> Self {
        Self::default()
    }

    /// `name` must be given and be a `V`.
    #[must_use]
    pub fn require<V: DeserializeOwned>(mut self, name: &str) -> Self {
        self.rules.push(Rule { name: name.to_owned(), required: true, check: |p, n| p.get::<V>(n).map(drop) });
        self
    }

    /// `name` may be given and must then be a `V`.
    #[must_use]
    pub fn optional<V: DeserializeOwned>(mut self, name: &str) -> Self {
        self.rules.push(Rule { name: name.to_owned(), required: false, check: |p, n| p.get::<V>(n).map(drop) });
        self
    }

    /// Checks `parameters`.
    ///
    /// # Errors
    /// The first missing, unknown or mistyped parameter.
    pub fn check(&self, parameters: &Parameters) -> Result<(), Error> {
        if let Some((unknown, _)) = parameters.iter().find(|(name, _)| !self.rules.iter().any(|r| r.name == *name)) {
            let known: Vec<&str> = self.rules.iter().map(|r| r.name.as_str()).collect();
            let message = format!(
                "unknown parameter `{unknown}`; the job takes {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        self.rules.iter().filter(|r| r.required || parameters.contains(&r.name)).try_for_each(|r| (r.check)(parameters, &r.name))
    }
}

impl fmt::Debug for ParameterRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|r| &r.name)).finish()
    }
}
