//! What happens in a run, as data: the same seed gives the same plan.

use std::{fmt, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::fault_proxy::Fault as NetworkFault;

/// Faults of a run.
const FAULTS: usize = 4;

/// On what a run takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// The embedded store, with room.
    Embedded,
    /// The embedded store on a disk that can be filled.
    SmallStore,
    /// The embedded store; all spools are on a disk that can be filled.
    SmallSpools,
    /// MongoDB, which can be killed.
    MongoDb,
}

impl Ground {
    /// Hosts of a run: fewer where the store is the slow engine of the tests.
    pub fn hosts(self) -> usize {
        if self == Self::MongoDb { 2 } else { 5 }
    }

    /// Distance of two samples in milliseconds: as short as a node-client goes, so that a short run has many, and
    /// longer where the store is the slow engine of the tests.
    pub fn interval_ms(self) -> u32 {
        if self == Self::MongoDb { 500 } else { 100 }
    }
}

/// What strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server is killed.
    KillServer,
    /// A host's client is killed.
    KillClient(usize),
    /// Both are.
    KillBoth(usize),
    /// The network of one host fails, or that of all.
    Network(NetworkFault, Option<usize>),
    /// The small disk is full.
    FillDisk,
    /// The small disk is full, and a host's client is killed while it is.
    FillDiskAndKillClient(usize),
    /// The database is killed.
    KillDatabase,
    /// The database is killed, and the server as well.
    KillDatabaseAndServer,
}

/// One fault and its place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Time in which nothing fails: it decides what is under way when the fault strikes.
    pub wait: Duration,
    /// What strikes.
    pub fault: Fault,
    /// How long it lasts.
    pub lasts: Duration,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The number that it was made from.
    pub seed: u64,
    /// On what it takes place.
    pub ground: Ground,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        // By the seed itself, so that any stretch of seeds has its share of each.
        let ground = match seed % 20 {
            0 => Ground::MongoDb,
            1 | 6 | 11 | 16 => Ground::SmallStore,
            2 | 7 | 12 | 17 => Ground::SmallSpools,
            _ => Ground::Embedded,
        };
        let steps = (0..FAULTS)
            .map(|place| step(&mut random, ground, place))
            .collect();
        Self { seed, ground, steps }
    }

    /// Whether a sample may be lost by what happens: it is in nobody's hands but those of a client in whose spool it
    /// found no room, and which is then killed.
    pub fn may_lose(&self) -> bool {
        self.ground == Ground::SmallSpools
    }
}

fn step(random: &mut StdRng, ground: Ground, place: usize) -> Step {
    let host = random.random_range(0..ground.hosts());
    // What a ground is for comes in any case, and comes second, when samples are on their way.
    let of_ground = place == 1 || random.random_bool(0.3);
    let fault = match ground {
        Ground::SmallStore if of_ground => Fault::FillDisk,
        Ground::SmallSpools if of_ground && random.random_bool(0.5) => Fault::FillDisk,
        Ground::SmallSpools if of_ground => Fault::FillDiskAndKillClient(host),
        Ground::MongoDb if of_ground && random.random_bool(0.7) => Fault::KillDatabase,
        Ground::MongoDb if of_ground => Fault::KillDatabaseAndServer,
        _ => match random.random_range(0..8_u8) {
            0 => Fault::KillServer,
            1 => Fault::KillClient(host),
            2 => Fault::KillBoth(host),
            kind => {
                let fault = match kind {
                    3 => NetworkFault::Delay(Duration::from_millis(random.random_range(5..80))),
                    4 => NetworkFault::Stall,
                    5 => NetworkFault::Reset,
                    6 => NetworkFault::Truncate(random.random_range(0..600)),
                    _ => NetworkFault::HalfClose,
                };
                Fault::Network(fault, random.random_bool(0.7).then_some(host))
            }
        },
    };
    Step {
        wait: Duration::from_millis(random.random_range(30..350)),
        fault,
        lasts: Duration::from_millis(random.random_range(20..350)),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillServer => write!(formatter, "server killed"),
            Self::KillClient(host) => write!(formatter, "client {host} killed"),
            Self::KillBoth(host) => write!(formatter, "client {host} and server killed"),
            Self::Network(fault, Some(host)) => write!(formatter, "{fault:?} for host {host}"),
            Self::Network(fault, None) => write!(formatter, "{fault:?} for all hosts"),
            Self::FillDisk => write!(formatter, "disk full"),
            Self::FillDiskAndKillClient(host) => write!(formatter, "disk full and client {host} killed"),
            Self::KillDatabase => write!(formatter, "database killed"),
            Self::KillDatabaseAndServer => write!(formatter, "database and server killed"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {} on {:?}:", self.seed, self.ground)?;
        for step in &self.steps {
            let (wait, lasts) = (step.wait.as_millis(), step.lasts.as_millis());
            write!(formatter, " after {wait} ms {} for {lasts} ms;", step.fault)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan_each_time_and_another_seed_another() {
        assert_eq!(Plan::of_seed(7), Plan::of_seed(7));
        assert_ne!(Plan::of_seed(7).steps, Plan::of_seed(27).steps);
    }

    #[test]
    fn any_twenty_seeds_in_a_row_have_every_ground_and_its_own_fault() {
        for first in [0, 13, 980] {
            let plans: Vec<Plan> = (first..first + 20).map(Plan::of_seed).collect();
            let with = |ground: Ground| plans.iter().filter(move |plan| plan.ground == ground);
            assert_eq!(with(Ground::MongoDb).count(), 1);
            assert_eq!(with(Ground::SmallSpools).count(), 4);
            assert!(with(Ground::SmallStore).count() == 4);
            assert!(with(Ground::SmallStore).all(|plan| plan.steps[1].fault == Fault::FillDisk));
        }
    }
}
