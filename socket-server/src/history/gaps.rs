//! Which stretches are missing, and why. Pure.

use metric_flow_protocol::series::{Gap, GapReason};

use crate::store::DroppedRecord;

/// Stretches without samples in `from..to`, given the starts of what is there; each covers `covers_ms`. A distance
/// of up to `tolerance_ms` more is no gap: samples are not taken to the millisecond.
pub(super) fn missing(
    starts: impl IntoIterator<Item = i64>,
    covers_ms: i64,
    tolerance_ms: i64,
    from: i64,
    to: i64,
) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut expected = from;
    for start in starts {
        if start > expected.saturating_add(tolerance_ms) {
            gaps.push((expected, start.min(to)));
        }
        expected = expected.max(start.saturating_add(covers_ms));
    }
    if to > expected.saturating_add(tolerance_ms) {
        gaps.push((expected, to));
    }
    gaps.retain(|(begin, end)| begin < end);
    gaps
}

/// What is known of why samples are missing.
pub(super) struct Known<'a> {
    /// Nothing is kept before this.
    pub(super) kept_from: i64,
    /// What the host reported as dropped.
    pub(super) dropped: &'a [DroppedRecord],
    /// Everything that the host took before this instant has arrived or was reported: what is missing was never taken.
    pub(super) complete_until: i64,
    /// The host's first sample: before it there is nothing that could be missing. `i64::MIN` where it is not known.
    pub(super) first_sample: i64,
}

/// Splits gaps so that each piece has one reason; a piece in which nothing is missing is left out.
pub(super) fn explain(gaps: &[(i64, i64)], known: &Known<'_>) -> Vec<Gap> {
    let mut explained: Vec<Gap> = Vec::new();
    for &(from, to) in gaps {
        let mut edges = vec![from, to];
        let inside = |edge: &i64| from < *edge && *edge < to;
        edges.extend([known.kept_from, known.complete_until].into_iter().filter(inside));
        for dropped in known.dropped {
            edges.extend(
                [dropped.from_unix_ms, dropped.to_unix_ms.saturating_add(1)]
                    .into_iter()
                    .filter(inside),
            );
        }
        edges.sort_unstable();
        edges.dedup();
        for pair in edges.windows(2) {
            let Some(reason) = reason_of(pair[0], pair[1], known) else {
                continue;
            };
            match explained.last_mut() {
                Some(last) if last.to_unix_ms == pair[0] && last.reason == reason => {
                    last.to_unix_ms = pair[1]
                }
                _ => explained.push(Gap {
                    from_unix_ms: pair[0],
                    to_unix_ms: pair[1],
                    reason,
                }),
            }
        }
    }
    explained
}

fn reason_of(from: i64, to: i64, known: &Known<'_>) -> Option<GapReason> {
    if to <= known.kept_from {
        return Some(GapReason::Expired);
    }
    let reported = known
        .dropped
        .iter()
        .find(|range| range.from_unix_ms < to && range.to_unix_ms >= from);
    match reported {
        Some(range) => Some(range.reason),
        None if to <= known.first_sample => None,
        None if to <= known.complete_until => Some(GapReason::ClientNotRunning),
        None => Some(GapReason::NotReceived),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_is_split_by_its_reasons() {
        let dropped = [DroppedRecord {
            first_seq: 1,
            last_seq: 2,
            from_unix_ms: 40,
            to_unix_ms: 49,
            reason: GapReason::SpoolFull,
        }];
        let known = Known {
            kept_from: 20,
            dropped: &dropped,
            complete_until: 70,
            first_sample: i64::MIN,
        };
        let reasons: Vec<_> = explain(&[(0, 100)], &known)
            .into_iter()
            .map(|gap| (gap.from_unix_ms, gap.to_unix_ms, gap.reason))
            .collect();
        assert_eq!(
            reasons,
            [
                (0, 20, GapReason::Expired),
                (20, 40, GapReason::ClientNotRunning),
                (40, 50, GapReason::SpoolFull),
                (50, 70, GapReason::ClientNotRunning),
                (70, 100, GapReason::NotReceived),
            ]
        );
    }

    #[test]
    fn before_its_first_sample_nothing_is_missing_but_what_was_reported() {
        let dropped = [DroppedRecord {
            first_seq: 1,
            last_seq: 1,
            from_unix_ms: 20,
            to_unix_ms: 29,
            reason: GapReason::SpoolFull,
        }];
        let known = Known {
            kept_from: i64::MIN,
            dropped: &dropped,
            complete_until: 90,
            first_sample: 50,
        };
        let found = explain(&[(0, 50), (60, 70)], &known).into_iter();
        let reasons: Vec<_> = found
            .map(|gap| (gap.from_unix_ms, gap.to_unix_ms, gap.reason))
            .collect();
        assert_eq!(
            reasons,
            [
                (20, 30, GapReason::SpoolFull),
                (60, 70, GapReason::ClientNotRunning)
            ]
        );
    }

    proptest! {
        #[test]
        fn gaps_are_just_what_no_sample_covers(mut starts in prop::collection::vec(0_i64..200, 0..40), covers in 1_i64..8) {
            starts.sort_unstable();
            let gaps = missing(starts.iter().copied(), covers, 0, 0, 200);
            for instant in 0..200 {
                let covered = starts.iter().any(|&start| (start..start + covers).contains(&instant));
                let in_gap = gaps.iter().any(|&(from, to)| (from..to).contains(&instant));
                prop_assert_eq!(covered, !in_gap, "instant {} of {:?}", instant, gaps);
            }
        }

        #[test]
        fn explaining_neither_adds_nor_loses_time(
            edges in prop::collection::btree_set(0_i64..200, 0..12), kept in 0_i64..200, complete in 0_i64..200
        ) {
            let edges: Vec<i64> = edges.into_iter().collect();
            let gaps: Vec<(i64, i64)> = edges.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let known = Known { kept_from: kept, dropped: &[], complete_until: complete, first_sample: i64::MIN };
            let explained = explain(&gaps, &known);
            let length: i64 = gaps.iter().map(|(from, to)| to - from).sum();
            prop_assert_eq!(explained.iter().map(|gap| gap.to_unix_ms - gap.from_unix_ms).sum::<i64>(), length);
        }
    }
}
