//! compose.yaml: what runs. Read by the `compose_spec` library, after a check that no key is passed over in silence.
//!
//! A key that this deployer does not carry out is an error, for a container that starts without it is not the one that
//! was asked for. `keys` has the list.

mod attachments;
mod deploy;
mod interpolate;
mod keys;
mod model;
mod read;
mod service;
mod update;

pub use interpolate::{InterpolateError, Variables};
pub use model::{
    Build, Condition, Constraint, ContainerSpec, FileSource, FirewallRule, Health, Logging, Mode, Mount,
    MountKind, Project, PublishedPort, Service, ServiceFile, Subject,
};
pub use read::{ComposeError, load, parse};
pub use update::{FailureAction, Order, Parallelism, Update};
