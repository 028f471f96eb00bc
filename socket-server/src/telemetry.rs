//! What the server counts about itself, for `/metrics`.

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use crate::fleet::FleetCounts;

/// Counters and gauges of one server.
pub struct Telemetry {
    registry: Registry,
    /// Samples that came from hosts.
    pub samples_received: Counter,
    /// Readings above what a store can keep.
    pub readings_confined: Counter,
    /// Frames sent to viewers.
    pub frames_sent: Counter,
    /// Frames that viewers missed.
    pub frames_missed: Counter,
    /// HTTP requests answered.
    pub requests: Counter,
    /// Connections accepted.
    pub connections_accepted: Counter,
    /// Connections refused for a limit.
    pub connections_refused: Counter,
    /// Log-ins that failed.
    pub logins_failed: Counter,
    hosts: Gauge,
    hosts_online: Gauge,
    viewers: Gauge,
    store_ready: Gauge,
    samples_refused: Gauge,
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("metric_flow");
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            samples_received: counter(&mut registry, "samples_received", "Samples that came from hosts"),
            readings_confined: counter(
                &mut registry,
                "readings_confined",
                "Readings above the largest that is kept, set to that",
            ),
            frames_sent: counter(&mut registry, "frames_sent", "Frames sent to viewers"),
            frames_missed: counter(&mut registry, "frames_missed", "Frames that slow viewers missed"),
            requests: counter(&mut registry, "http_requests", "HTTP requests answered"),
            connections_accepted: counter(&mut registry, "connections_accepted", "Connections accepted"),
            connections_refused: counter(
                &mut registry,
                "connections_refused",
                "Connections refused for a limit",
            ),
            logins_failed: counter(&mut registry, "logins_failed", "Log-ins that failed"),
            hosts: gauge(&mut registry, "hosts", "Hosts known"),
            hosts_online: gauge(&mut registry, "hosts_online", "Hosts with an open connection"),
            viewers: gauge(&mut registry, "viewers", "Viewers with an open connection"),
            samples_refused: gauge(
                &mut registry,
                "samples_refused",
                "Samples since the start that the store will never take; they count as dropped",
            ),
            store_ready: gauge(&mut registry, "store_ready", "1 while samples are stored"),
            registry,
        }
    }
}

impl Telemetry {
    /// The exposition in the text format of OpenMetrics.
    pub fn exposition(&self, counts: FleetCounts, store_ready: bool) -> String {
        let gauge = |gauge: &Gauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge(&self.hosts, counts.hosts);
        gauge(&self.hosts_online, counts.hosts_online);
        gauge(&self.viewers, counts.viewers);
        gauge(&self.store_ready, usize::from(store_ready));
        self.samples_refused
            .set(i64::try_from(counts.samples_refused).unwrap_or(i64::MAX));
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}
