//! The table at the end: every try of the instance, and the first rows left out.

use super::{grouped, spoken};
use batch_core::{Error, JobExecution, JobExplorer, Page, SkipRecord, StepExecution};
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

/// Rows left out that are shown one by one.
const SHOWN: u64 = 5;

/// Prints the tries of the instance that `execution` belongs to, oldest first.
pub async fn print(explorer: &dyn JobExplorer, execution: &JobExecution, everything: &str) -> Result<(), Error> {
    let mut tries = explorer.executions(execution.instance.id).await?;
    tries.reverse();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["try", "status", "read", "written", "filtered", "skipped", "commits", "rollbacks", "duration", "rows/s"]);
    let mut steps = Vec::new();
    for (number, one) in tries.iter().enumerate() {
        let of_try = explorer.steps(one.id).await?;
        table.add_row(row(number + 1, one, &of_try));
        steps.extend(of_try);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    skipped(explorer, &steps, everything).await
}

fn row(number: usize, execution: &JobExecution, steps: &[StepExecution]) -> Vec<String> {
    let counts = steps.iter().fold(batch_core::Counts::default(), |sum, step| sum + step.counts);
    let until = execution.ended.unwrap_or(execution.last_updated);
    let seconds = (until - execution.created).as_seconds_f64().max(0.0);
    let rate = if seconds > 0.0 { counts.read as f64 / seconds } else { 0.0 };
    let mut cells = vec![number.to_string(), execution.status.to_string()];
    let numbers = [counts.read, counts.written, counts.filtered, counts.skips(), counts.commits, counts.rollbacks].map(grouped);
    cells.extend(numbers);
    cells.extend([spoken(seconds), grouped(rate as u64)]);
    cells
}

async fn skipped(explorer: &dyn JobExplorer, steps: &[StepExecution], everything: &str) -> Result<(), Error> {
    let all: u64 = steps.iter().map(|step| step.counts.skips()).sum();
    let mut left = SHOWN;
    for step in steps {
        for skip in explorer.skips(step.id, Page::first(left)).await? {
            println!("  {}", told(&skip));
            left -= 1;
        }
    }
    if all > SHOWN {
        println!("  and {} more skipped rows; all of them: {everything}", grouped(all - SHOWN));
    } else if all > 0 {
        println!("  all skipped rows: {everything}");
    }
    Ok(())
}

fn told(skip: &SkipRecord) -> String {
    let place = skip.line.map_or_else(|| format!("row {}", skip.number), |line| format!("line {line}"));
    let column = skip.column.as_deref().filter(|column| !skip.reason.contains(*column));
    format!(
        "{place}: {}{} ({})",
        column.map_or(String::new(), |c| format!("{c}: ")),
        skip.reason,
        skip.phase.as_str().to_lowercase()
    )
}
