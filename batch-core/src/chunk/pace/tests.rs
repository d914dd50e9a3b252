//! What reaches the source, and the log.

use super::{Batch, Effort, Pace};
use crate::policy::Adaptive;
use parking_lot::Mutex;
use std::{fmt, sync::Arc, time::Duration};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps every event as a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

/// A chunk of the size that is asked for, which was open for so long.
fn commit(pace: &mut Pace, open: Duration) {
    let size = pace.next_size().get();
    let batch = Batch { outs: vec![(); size], size, ..Batch::default() };
    let effort = Effort { write_time: 100 * open, open_time: open, commit_time: Duration::ZERO, attempts: 1, write_calls: 1 };
    pace.committed(&batch, &effort, "load");
}

#[test]
fn each_change_is_logged_and_that_it_settled_once() {
    let log = Log::default();
    let millis = Duration::from_millis;
    let mut pace = Pace::new(Adaptive::lock_time(millis(50)).start(100));
    let size = pace.next_size();
    tracing::subscriber::with_default(log.clone(), || {
        (0..3).for_each(|_| commit(&mut pace, millis(25 / 2)));
        assert_eq!(size.get(), 200);
        (0..10).for_each(|_| commit(&mut pace, millis(50)));
        (0..4).for_each(|_| commit(&mut pace, millis(200)));
        (0..10).for_each(|_| commit(&mut pace, millis(50)));
    });
    let lines: Vec<String> = log.0.lock().iter().filter(|line| line.contains("chunks")).cloned().collect();
    let expected = [
        "DEBUG message=the size of the chunks changes step=\"load\" from=100 to=200 median=12ms target=50ms",
        "INFO message=the size of the chunks has settled step=\"load\" size=200 median=50ms target=50ms",
        "DEBUG message=the size of the chunks changes step=\"load\" from=200 to=100 median=200ms target=50ms",
    ];
    assert_eq!(lines, expected);
}
