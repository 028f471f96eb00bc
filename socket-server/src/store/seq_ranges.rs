//! Which sequence numbers of an epoch are settled, as a few closed ranges.

use std::collections::BTreeMap;

/// A set of sequence numbers, kept as disjoint closed ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeqRanges {
    ends_by_start: BTreeMap<u64, u64>,
}

impl SeqRanges {
    /// Adds `first..=last`; nothing happens when `first > last`.
    pub fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut start, mut end) = (first, last);
        while let Some((&other_start, &other_end)) =
            self.ends_by_start.range(..=end.saturating_add(1)).next_back()
        {
            if other_end.saturating_add(1) < start {
                break;
            }
            start = start.min(other_start);
            end = end.max(other_end);
            self.ends_by_start.remove(&other_start);
        }
        self.ends_by_start.insert(start, end);
    }

    /// Whether `seq` is in the set.
    pub fn contains(&self, seq: u64) -> bool {
        self.ends_by_start
            .range(..=seq)
            .next_back()
            .is_some_and(|(_, &end)| seq <= end)
    }

    /// Whether all of `first..=last` is in the set.
    pub fn covers(&self, first: u64, last: u64) -> bool {
        self.ends_by_start
            .range(..=first)
            .next_back()
            .is_some_and(|(_, &end)| last <= end)
    }

    /// Highest `seq` such that everything from `settled + 1` to it is in the set; `settled` when there is none.
    pub fn contiguous_from(&self, settled: u64) -> u64 {
        let next = settled.saturating_add(1);
        match self.ends_by_start.range(..=next).next_back() {
            Some((_, &end)) if end >= next => end,
            _ => settled,
        }
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ends_by_start.iter().map(|(&first, &last)| (first, last))
    }
}

impl FromIterator<(u64, u64)> for SeqRanges {
    fn from_iter<T: IntoIterator<Item = (u64, u64)>>(ranges: T) -> Self {
        let mut set = Self::default();
        for (first, last) in ranges {
            set.insert(first, last);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_become_one_range() {
        let ranges: SeqRanges = [(1, 3), (7, 9), (4, 6)].into_iter().collect();
        assert_eq!(ranges.iter().collect::<Vec<_>>(), vec![(1, 9)]);
        assert_eq!(ranges.contiguous_from(0), 9);
        assert_eq!(ranges.contiguous_from(20), 20);
    }

    proptest! {
        #[test]
        fn it_holds_just_what_was_inserted(inserted in prop::collection::vec((0_u64..60, 0_u64..8), 0..12)) {
            let ranges: SeqRanges = inserted.iter().map(|&(first, length)| (first, first + length)).collect();
            for seq in 0..80 {
                let expected = inserted.iter().any(|&(first, length)| (first..=first + length).contains(&seq));
                prop_assert_eq!(ranges.contains(seq), expected);
            }
            let listed: Vec<_> = ranges.iter().collect();
            for pair in listed.windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0, "{:?} touch", pair);
            }
        }
    }
}
