//! Disks, interfaces, file systems and sensors that come and go.

use std::time::{Duration, Instant};

use metric_flow_protocol::metrics::Sample;

use super::host::{Host, later};

#[test]
fn only_physical_disks_and_outward_interfaces_are_counted() {
    let sample = Host::recorded("rocky-server").sampler().read();
    let disks: Vec<_> = sample
        .disks
        .iter()
        .map(|disk| {
            (
                disk.name.as_str(),
                disk.read_bytes_total,
                disk.write_operations_total,
            )
        })
        .collect();
    assert_eq!(
        disks,
        [("sda", 80_000 * 512, 2_000), ("nvme0n1", 400_000 * 512, 7_000)]
    );
    let interfaces: Vec<_> = sample
        .interfaces
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.received_bytes_total,
                one.received_errors_total,
            )
        })
        .collect();
    // The host has a podman0 too: what passes it and leaves the host is in eno1 already.
    assert_eq!(interfaces, [("eno1", 1_000_000, 3)]);
}

#[test]
fn disks_and_interfaces_come_and_go() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    host.write("sys/block/sdb/device/model", "stick\n");
    host.write("proc/diskstats", "   8      16 sdb 7 0 8 0 9 0 16 0 0 0 0\n");
    host.edit("proc/1/net/dev", "  eno1:", "  eno9:");
    let sample = sampler.read();
    assert_eq!(sample.disks.len(), 1);
    assert_eq!(
        (sample.disks[0].name.as_str(), sample.disks[0].written_bytes_total),
        ("sdb", 16 * 512)
    );
    assert_eq!(sample.interfaces[0].name, "eno9");
}

#[test]
fn file_systems_are_those_that_store_data_each_once() {
    let host = Host::recorded("rocky-server");
    host.write("boot/vmlinuz", "");
    let start = Instant::now();
    let mut sampler = host.sampler();
    let points = |sample: &Sample| -> Vec<String> {
        sample
            .file_systems
            .iter()
            .filter(|one| one.device != "nas:/export/home")
            .map(|one| one.mount_point.clone())
            .collect()
    };
    let sample = sampler.read();
    assert_eq!(points(&sample), ["/", "/boot"]);
    assert_eq!(sample.file_systems[0].device, "/dev/mapper/rl-root");
    for one in &sample.file_systems {
        assert!(
            one.total_bytes > 0 && one.used_bytes <= one.total_bytes,
            "{one:?}"
        );
    }
    host.edit("proc/1/mounts", "/dev/sda1 /boot xfs", "tmpfs /boot tmpfs");
    host.edit("proc/1/mounts", "/dev/sda1 /srv/boot-copy", "/dev/sda1 /boot/efi");
    host.write("boot/efi/x", "");
    assert_eq!(
        points(&sampler.read_at(start)),
        ["/", "/boot"],
        "the list of mounts is not due"
    );
    assert_eq!(points(&sampler.read_at(later())), ["/", "/boot/efi"]);
}

#[test]
fn a_network_mount_is_shown_once_it_answers() {
    let host = Host::recorded("rocky-server");
    host.write("mnt/nas home/x", "");
    let mut sampler = host.sampler();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !sampler
        .read()
        .file_systems
        .iter()
        .any(|one| one.mount_point == "/mnt/nas home")
    {
        assert!(Instant::now() < deadline, "the mount never answered");
        std::thread::yield_now();
    }
}

#[test]
fn sensors_have_names_of_their_own_and_broken_ones_are_left_out() {
    let host = Host::recorded("rocky-server");
    let start = Instant::now();
    let mut sampler = host.sampler();
    let shown = |sample: &Sample| -> Vec<(String, f32)> {
        sample
            .temperatures
            .iter()
            .map(|one| (one.sensor.clone(), one.celsius))
            .collect()
    };
    let named = |sensor: &str, celsius: f32| (sensor.to_owned(), celsius);
    let expected = [
        named("k10temp Tctl", 54.25),
        named("nvme Composite", 38.85),
        named("nvme Composite #2", 41.0),
        named("acpitz", 29.8),
    ];
    assert_eq!(shown(&sampler.read_at(start)), expected);
    host.write("sys/class/hwmon/hwmon0/temp1_input", "60000\n");
    host.remove("sys/class/hwmon/hwmon2");
    assert_eq!(
        shown(&sampler.read_at(start)),
        expected,
        "slow sensors are not due"
    );
    let sample = sampler.read_at(later());
    assert_eq!(
        shown(&sample),
        [
            named("k10temp Tctl", 60.0),
            named("nvme Composite", 38.85),
            named("acpitz", 29.8)
        ]
    );
}
