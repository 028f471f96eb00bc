//! Which hosts are updated together.

use crate::compose::Parallelism;

/// The hosts in batches. With a percentage the first host goes alone: the canary.
pub(super) fn batches(hosts: &[String], parallelism: Parallelism) -> Vec<&[String]> {
    let size = parallelism.of(hosts.len());
    match (parallelism, hosts) {
        (Parallelism::Percent(percent), [_, _, ..]) if percent < 100 => {
            let (canary, rest) = hosts.split_at(1);
            std::iter::once(canary).chain(rest.chunks(size)).collect()
        }
        _ => hosts.chunks(size).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_sends_one_host_ahead() {
        let hosts: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let sizes = |parallelism| {
            batches(&hosts, parallelism)
                .iter()
                .map(|batch| batch.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(Parallelism::Percent(50)), [1, 5, 3]);
        assert_eq!(sizes(Parallelism::Hosts(4)), [4, 4, 1]);
        assert_eq!(sizes(Parallelism::All), [9]);
    }
}
