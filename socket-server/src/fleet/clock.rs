//! How far a host's clock is from the server's. Pure.

/// Readings in one half of the window: at 1 Hz the estimate follows a clock that is set within two minutes.
const READINGS_PER_HALF: u32 = 60;

/// Estimates the host's clock less the server's, in milliseconds.
///
/// Each reading is the true offset less the delay on the way, so the largest of recent readings is the best one
/// (the minimum-delay filter of NTP, RFC 5905 §10, for one direction).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ClockOffset {
    this_half: Option<i64>,
    half_before: Option<i64>,
    readings: u32,
}

impl ClockOffset {
    /// Takes a reading: a message that left at `sent_unix_ms` by the host's clock and came at `received_unix_ms`
    /// by the server's. A host that does not say when it sent (0) is ignored.
    pub(super) fn read(&mut self, sent_unix_ms: i64, received_unix_ms: i64) {
        if sent_unix_ms == 0 {
            return;
        }
        if self.readings >= READINGS_PER_HALF {
            self.half_before = self.this_half.take();
            self.readings = 0;
        }
        let reading = sent_unix_ms.saturating_sub(received_unix_ms);
        self.this_half = Some(self.this_half.map_or(reading, |best| best.max(reading)));
        self.readings += 1;
    }

    /// The estimate; 0 before the first reading.
    pub(super) fn offset_ms(&self) -> i64 {
        self.this_half.max(self.half_before).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_delayed_reading_counts() {
        let mut clock = ClockOffset::default();
        for delay_ms in [80, 5, 40] {
            clock.read(10_000 + 300, 10_000 + delay_ms);
        }
        assert_eq!(clock.offset_ms(), 295);
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let mut clock = ClockOffset::default();
        clock.read(5_000, 1_000);
        for _ in 0..2 * READINGS_PER_HALF {
            clock.read(1_000, 1_000);
        }
        assert_eq!(clock.offset_ms(), 0);
    }
}
