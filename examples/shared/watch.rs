//! Progress: a bar on a terminal, a line now and then elsewhere.

use super::{grouped, spoken};
use batch_core::{Listener, Moment, Progress, Reading, StepExecution};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::IsTerminal, sync::Mutex, time::Duration};

/// At most one line in this time where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// A listener that shows how far the step is.
pub fn progress() -> impl Listener {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let terminal = std::io::stderr().is_terminal();
    if terminal {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}") {
            bar.set_style(style.progress_chars("█▉ "));
        }
    }
    let told = Mutex::new(Duration::ZERO);
    Progress::new(move |reading| {
        if reading.moment == Moment::Began {
            if let Some(line) = resuming(reading.step) {
                eprintln!("{line}");
            }
        } else if terminal {
            draw(&bar, reading);
        } else if reading.moment == Moment::Chunk {
            let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if reading.elapsed >= *told + LINE_EVERY {
                *told = reading.elapsed;
                eprintln!("{}", line(reading));
            }
        }
    })
}

/// Where a restart goes on.
fn resuming(step: &StepExecution) -> Option<String> {
    let read = step.checkpoint.read;
    (read > 0).then(|| format!("resuming after row {}", grouped(read)))
}

fn draw(bar: &ProgressBar, reading: &Reading<'_>) {
    if reading.moment == Moment::Ended {
        return bar.finish_and_clear();
    }
    if let Some(total) = reading.total {
        bar.set_length(total.of);
        bar.set_position(total.done);
    }
    bar.set_message(speed(reading));
}

fn line(reading: &Reading<'_>) -> String {
    let share = reading.total.map_or(String::new(), |t| format!("{:>3} %  ", 100 * t.done / t.of.max(1)));
    format!("{share}{}", speed(reading))
}

fn speed(reading: &Reading<'_>) -> String {
    let left = reading.left.map_or(String::new(), |left| format!(", {} left", spoken(left.as_secs_f64())));
    format!("{} rows, {} rows/s{left}", grouped(reading.step.checkpoint.read), grouped(reading.rate as u64))
}
