//! Readings of one host, one collector a file.

mod sampler;

pub use sampler::Sampler;
