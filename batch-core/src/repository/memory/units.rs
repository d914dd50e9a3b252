//! The unit logs of steps.

use super::state::State;
use crate::{
    error::Error,
    execution::{UnitRecord, UnitStatus},
    repository::UnitStart,
};
use std::collections::HashMap;

/// The units of one step over all tries of its instance.
#[derive(Default)]
pub(super) struct UnitLog {
    /// In the order in which they first began.
    rows: Vec<UnitRecord>,
    by_key: HashMap<String, usize>,
}

impl UnitLog {
    fn get(&self, key: &str) -> Option<&UnitRecord> {
        self.by_key.get(key).and_then(|at| self.rows.get(*at))
    }

    fn put(&mut self, unit: UnitRecord) {
        match self.by_key.get(&unit.key).and_then(|at| self.rows.get_mut(*at)) {
            Some(row) => *row = unit,
            None => {
                self.by_key.insert(unit.key.clone(), self.rows.len());
                self.rows.push(unit);
            }
        }
    }
}

impl State {
    pub(super) fn start_unit(&mut self, start: &UnitStart) -> Result<UnitRecord, Error> {
        let instance = self.held(&start.lease)?.row.instance.id;
        let unit = UnitRecord {
            key: start.key.clone(),
            status: UnitStatus::InProgress,
            attempts: self.unit(instance, &start.name, &start.key).map_or(0, |unit| unit.attempts) + 1,
            error: None,
            step: start.step,
            started: start.at,
            ended: None,
        };
        self.log(instance, &start.name, unit.clone());
        Ok(unit)
    }

    pub(super) fn find_units(&self, instance: i64, step: &str, keys: &[String]) -> Result<Vec<UnitRecord>, Error> {
        self.instance(instance)?;
        Ok(keys.iter().filter_map(|key| self.unit(instance, step, key)).cloned().collect())
    }

    /// Writes the rows of units that end with a commit of the step `name`.
    pub(super) fn log_units(&mut self, execution: i64, name: &str, units: &[UnitRecord]) {
        let Some(instance) = self.executions.get(&execution).map(|e| e.row.instance.id) else { return };
        for unit in units {
            self.log(instance, name, unit.clone().stored());
        }
    }

    /// All units of a step, oldest first.
    pub(super) fn units(&self, instance: i64, step: &str) -> Result<impl Iterator<Item = &UnitRecord>, Error> {
        Ok(self.instance(instance)?.units.get(step).into_iter().flat_map(|log| &log.rows))
    }

    fn unit(&self, instance: i64, step: &str, key: &str) -> Option<&UnitRecord> {
        self.instances.get(&instance)?.units.get(step)?.get(key)
    }

    fn log(&mut self, instance: i64, step: &str, unit: UnitRecord) {
        if let Some(instance) = self.instances.get_mut(&instance) {
            instance.units.entry(step.to_owned()).or_default().put(unit);
        }
    }
}
