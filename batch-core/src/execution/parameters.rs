//! Job parameters, and the key that they give an instance.

mod key;
mod value;

use crate::error::{Error, ErrorKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt};

pub use key::JobKeyFormat;
pub use value::{ParameterValue, Secret};

/// One parameter: its value, and whether it is part of the instance's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The typed value.
    pub value: ParameterValue,
    /// Whether another value means another job instance.
    pub identifying: bool,
}

/// The parameters of one launch, by name.
///
/// Identifying ones choose the job instance; the others are recorded with the execution and may change on a restart.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an identifying parameter.
    #[must_use]
    pub fn set(self, name: &str, value: impl Into<ParameterValue>) -> Self {
        self.put(name, value.into(), true)
    }

    /// Sets a parameter that is not part of the instance's identity.
    #[must_use]
    pub fn set_other(self, name: &str, value: impl Into<ParameterValue>) -> Self {
        self.put(name, value.into(), false)
    }

    /// Sets a parameter whose value is never stored, logged or shown; never identifying. A restart must be given it again.
    #[must_use]
    pub fn set_secret(self, name: &str, value: impl Into<String>) -> Self {
        self.put(name, ParameterValue::Secret(Secret::new(value.into())), false)
    }

    fn put(mut self, name: &str, value: ParameterValue, identifying: bool) -> Self {
        let identifying = identifying && !matches!(value, ParameterValue::Secret(_));
        self.0.insert(name.to_owned(), Parameter { value, identifying });
        self
    }

    /// The value under `name` as a `V`: a string, number, boolean, date, list, or an `Option` of one.
    ///
    /// # Errors
    /// The parameter is missing, or is not a `V`; kind [`ErrorKind::Configuration`].
    pub fn get<V: DeserializeOwned>(&self, name: &str) -> Result<V, Error> {
        let value = self.0.get(name).map_or(serde_json::Value::Null, |p| p.value.to_json());
        V::deserialize(value).map_err(|e| {
            let message = match self.0.get(name) {
                None => format!("parameter `{name}` is missing"),
                Some(p) => format!("parameter `{name}` = {} has the wrong type: {e}", p.value),
            };
            Error::new(ErrorKind::Configuration, message)
        })
    }

    /// All parameters by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, p)| (name.as_str(), p))
    }

    /// Whether a parameter of that name is set.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The digest of the identifying parameters, in the default form.
    pub fn key(&self) -> String {
        self.key_as(JobKeyFormat::default())
    }

    /// The digest of the identifying parameters in a form that Spring Batch computes too.
    pub fn key_as(&self, format: JobKeyFormat) -> String {
        key::digest(format, self.iter().filter(|(_, p)| p.identifying).map(|(name, p)| (name, &p.value)))
    }

    /// These parameters with those of `more`, which win.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// These parameters without secrets: what is stored.
    #[must_use]
    pub fn stored(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(_, p)| !matches!(p.value, ParameterValue::Secret(_)))
                .map(|(n, p)| (n.clone(), p.clone()))
                .collect(),
        )
    }
}

impl FromIterator<(String, Parameter)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Parameter)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, p)| (name, p.value.to_string()))).finish()
    }
}
