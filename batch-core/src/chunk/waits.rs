//! What a write waits for, one thing after the other, and in which of its waits the next chunk is best filled.
//!
//! A task that is begun while another one waits runs on the same thread, and the answer that comes meanwhile lies there until it is done. So
//! filling belongs into the longest wait, when the database works, and not into the first, when it only answers. Where it takes longer than what is
//! left of the write from there, it had better begin at once.

use std::time::Duration;
use tokio::time::Instant;

/// About as long as it takes to notice an answer.
const NOTICED: Duration = Duration::from_micros(50);
/// So many waits of a write are told apart; a writer that sends its rows one by one has one for each.
const MOST: usize = 64;

/// How long the waits of writes took.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// By their place in a write; zero where it is not known.
    known: Vec<Duration>,
}

impl Waits {
    /// The place of the wait in which something is begun that takes so long.
    pub(super) fn place_for(&self, filling: Duration) -> usize {
        let longest = self.longest();
        let place = self.known.iter().position(|wait| *wait == longest).unwrap_or(0);
        let left: Duration = self.known[place..].iter().sum();
        if filling <= left { place } else { 0 }
    }

    /// Whether it is done before the longest wait ends.
    pub(super) fn hold(&self, filling: Duration) -> bool {
        filling <= self.longest()
    }

    fn longest(&self) -> Duration {
        self.known.iter().max().copied().unwrap_or_default()
    }

    /// Learns from a write; `filled` is when what went on beside it ended.
    pub(super) fn learn(&mut self, write: &Watch, filled: Option<Instant>) {
        self.known.resize(write.waits.len(), Duration::ZERO);
        for (known, (began, ended)) in self.known.iter_mut().zip(&write.waits) {
            let took = ended.saturating_duration_since(*began);
            // The answer may have been there before, and nobody looked.
            let is_late = filled.is_some_and(|filled| (filled..filled + NOTICED).contains(ended));
            *known = if is_late { took.min(*known) } else { took };
        }
    }
}

/// The waits of one write.
#[derive(Debug, Default)]
pub(super) struct Watch {
    waits: Vec<(Instant, Instant)>,
    since: Option<Instant>,
}

impl Watch {
    /// It is looked at again.
    pub(super) fn woken(&mut self) {
        if let Some(since) = self.since.take()
            && self.waits.len() < MOST
        {
            self.waits.push((since, Instant::now()));
        }
    }

    /// It waits; the place of that wait.
    pub(super) fn waits(&mut self) -> usize {
        self.since = Some(Instant::now());
        self.waits.len()
    }

    /// Whether it never waited.
    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Keeps the memory for the next write.
    pub(super) fn clear(&mut self) {
        self.waits.clear();
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write with waits of so many microseconds, each behind the one before; when it began.
    fn write(waits: &[u64]) -> (Watch, Instant) {
        let begun = Instant::now();
        let mut at = begun;
        let waits = waits.iter().map(|micros| {
            let began = at;
            at += Duration::from_micros(*micros);
            (began, at)
        });
        (Watch { waits: waits.collect(), since: None }, begun)
    }

    fn learned(writes: &[(&[u64], Option<u64>)]) -> Waits {
        let mut waits = Waits::default();
        for (lengths, filled) in writes {
            let (watch, begun) = write(lengths);
            waits.learn(&watch, filled.map(|micros| begun + Duration::from_micros(micros)));
        }
        waits
    }

    /// Where something quick is begun, and the longest wait in microseconds.
    fn best(waits: &Waits) -> (usize, u128) {
        (waits.place_for(Duration::ZERO), waits.longest().as_micros())
    }

    #[test]
    fn the_longest_wait_is_the_best() {
        assert_eq!(best(&learned(&[(&[100, 90, 1300, 600], None)])), (2, 1300));
        assert_eq!(best(&learned(&[])), (0, 0), "with nothing known the first is taken");
    }

    #[test]
    fn what_takes_longer_than_the_rest_of_the_write_begins_at_once() {
        let waits = learned(&[(&[100, 90, 1300, 600], None)]);
        let at = |micros| {
            let filling = Duration::from_micros(micros);
            (waits.place_for(filling), waits.hold(filling))
        };
        assert_eq!([at(1300), at(1301), at(1900), at(1901)], [(2, true), (2, false), (2, false), (0, false)]);
    }

    #[test]
    fn a_wait_that_ended_with_the_filling_may_have_been_shorter() {
        // Filled in the first wait, which then seems the longest.
        let first: (&[u64], _) = (&[1510, 90, 1300, 600], Some(1500));
        assert_eq!(best(&learned(&[first])), (2, 1300));
        assert_eq!(best(&learned(&[first, (&[100, 90, 1300, 600], Some(1000))])), (2, 1300), "the answer came after the filling");
        assert_eq!(best(&learned(&[(&[100, 9000], None), (&[100, 1500], Some(1590))])), (1, 1500), "it was not longer than that");
    }

    #[test]
    fn a_write_of_another_kind_is_learned_anew() {
        assert_eq!(best(&learned(&[(&[100, 1300], None), (&[70], None)])), (0, 70));
    }

    #[test]
    fn a_writer_with_very_many_waits_is_watched_at_the_beginning() {
        let mut watch = Watch::default();
        for _ in 0..10 * MOST {
            watch.waits();
            watch.woken();
        }
        assert_eq!(watch.waits(), MOST);
    }
}
