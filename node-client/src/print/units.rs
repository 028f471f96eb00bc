//! Numbers as people read them.

/// Bytes with a binary unit and three digits: `1.46 GiB`.
pub(super) fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if value < 1023.5 {
        return format!("{value:.0} B");
    }
    let mut value = value;
    let mut unit = "B";
    for name in UNITS {
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = name;
    }
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

/// A share in percent: `7.2 %`.
pub(super) fn percent(value: f64) -> String {
    format!("{value:.1} %")
}

/// A duration by its two largest units: `3 d 4 h`.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Growth of a counter over a time; none when it began anew in between.
pub(super) fn rate(before: u64, after: u64, seconds: f64) -> Option<f64> {
    (seconds > 0.0)
        .then(|| after.checked_sub(before).map(|grown| grown as f64 / seconds))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_and_a_unit() {
        let cases = [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.00 KiB"),
            (1023.9 * 1024.0, "1.00 MiB"),
            (25_276_514_304.0, "23.5 GiB"),
            (u64::MAX as f64, "16.0 EiB"),
        ];
        for (value, expected) in cases {
            assert_eq!(bytes(value), expected);
        }
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let cases = [
            (5.9, "5 s"),
            (65.0, "1 min 5 s"),
            (7_260.0, "2 h 1 min"),
            (273_600.0, "3 d 4 h"),
        ];
        for (value, expected) in cases {
            assert_eq!(duration(value), expected);
        }
    }

    #[test]
    fn a_counter_that_began_anew_has_no_rate() {
        assert_eq!(rate(100, 300, 2.0), Some(100.0));
        assert_eq!(rate(300, 100, 2.0), None);
        assert_eq!(rate(100, 300, 0.0), None);
    }
}
