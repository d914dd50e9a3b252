//! One chunk at a time for a while, where flights were in vain.

/// How many chunks are done one at a time after one in flight had to be done again: twice as many each time, since the next ones are
/// likely to fail for the same reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caution {
    left: u32,
    next: u32,
    /// Chunks that flew since the last trouble.
    calm: u32,
}

/// At most so many in a row, so that a bad patch of the input is left behind.
const MOST: u32 = 64;

impl Default for Caution {
    fn default() -> Self {
        Self { left: 0, next: 1, calm: 0 }
    }
}

impl Caution {
    /// Whether the next chunk has to be alone.
    pub(super) fn is_on(&self) -> bool {
        self.left > 0
    }

    /// A chunk in flight had to be rolled back.
    pub(super) fn trouble(&mut self) {
        (self.left, self.next, self.calm) = (self.next, (self.next * 2).min(MOST), 0);
    }

    /// A chunk was committed that was alone.
    pub(super) fn walked(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// A chunk was committed that was in flight.
    pub(super) fn flew(&mut self) {
        self.calm += 1;
        if self.calm >= MOST {
            (self.next, self.calm) = (1, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Caution;

    fn alone(caution: &mut Caution) -> u32 {
        caution.trouble();
        let mut alone = 0;
        while caution.is_on() {
            caution.walked();
            alone += 1;
        }
        alone
    }

    #[test]
    fn trouble_costs_more_each_time_until_all_is_calm() {
        let mut caution = Caution::default();
        assert!(!caution.is_on());
        let costs: Vec<u32> = (0..9).map(|_| alone(&mut caution)).collect();
        assert_eq!(costs, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        (0..63).for_each(|_| caution.flew());
        assert_eq!(alone(&mut caution), 64, "one too few");
        (0..64).for_each(|_| caution.flew());
        assert_eq!(alone(&mut caution), 1);
    }
}
