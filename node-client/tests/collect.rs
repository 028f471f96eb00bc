//! Readings of recorded hosts, and of hosts that change while they are read.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use metric_flow_protocol::metrics::{Cpu, Pressure, Sample};
use node_client::{collect::Portable, facts::hello_facts, host_root::HostRoot};
use proptest::prelude::*;
use support::Host;

/// A time at which everything that is read now and then is due again.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn cpu(sample: &Sample) -> &Cpu {
    sample.cpu.as_ref().expect("processor readings")
}

#[test]
fn a_recorded_server_is_read_completely() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    host.edit(
        "proc/stat",
        "cpu  40000 400 20000 900000 4000",
        "cpu  40100 400 20050 900200 4050",
    );
    host.edit(
        "proc/stat",
        "cpu0 10000 100 5000 225000",
        "cpu0 10100 100 5000 225000",
    );
    host.edit(
        "proc/stat",
        "cpu3 10000 100 5000 225000",
        "cpu3 10025 100 5000 225075",
    );
    let sample = sampler.read();

    let cpu = cpu(&sample);
    assert_eq!(
        (cpu.used_percent, cpu.user_percent, cpu.system_percent),
        (37.5, 25.0, 12.5)
    );
    assert_eq!((cpu.iowait_percent, cpu.steal_percent), (12.5, 0.0));
    assert_eq!(cpu.core_used_percent, [100.0, 0.0, 0.0, 25.0]);
    assert_eq!((cpu.clock_mhz, cpu.clock_max_mhz), (Some(2_300), Some(3_300)));

    let load = sample.load.as_ref().expect("load");
    assert_eq!(
        (load.one_minute, load.five_minutes, load.fifteen_minutes),
        (1.5, 0.75, 0.25)
    );

    let memory = sample.memory.as_ref().expect("memory");
    assert_eq!(memory.total_bytes, 16_000_000 * 1024);
    assert_eq!(memory.available_bytes, 10_000_000 * 1024);
    assert_eq!(memory.used_bytes, 6_000_000 * 1024);
    assert_eq!(memory.cached_bytes, 7_200_000 * 1024);
    assert_eq!(
        (memory.swap_total_bytes, memory.swap_used_bytes),
        (4_000_000 * 1024, 1_000_000 * 1024)
    );

    let expected = Pressure {
        cpu_some_percent: 1.5,
        memory_some_percent: 0.25,
        memory_full_percent: 0.1,
        io_some_percent: 12.75,
        io_full_percent: 8.0,
    };
    assert_eq!(sample.pressure.as_ref(), Some(&expected));
    let processes = sample.processes.as_ref().expect("processes");
    assert_eq!((processes.total, processes.running), (2, 2));
    assert_eq!(sample.uptime_seconds, Some(98_765.43));
    assert!(sample.time_unix_ms > 1_600_000_000_000);
    assert_eq!(sample.seq, 0);
}

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
    assert_eq!(interfaces, [("eno1", 1_000_000, 3), ("podman0", 50_000, 0)]);
}

#[test]
fn a_recorded_virtual_machine_is_read() {
    let host = Host::recorded("debian-vm");
    let mut sampler = host.sampler();
    host.edit("proc/stat", "cpu  185537", "cpu  185637");
    let sample = sampler.read();
    assert_eq!(cpu(&sample).used_percent, 100.0);
    assert_eq!(cpu(&sample).core_used_percent, [0.0, 0.0]);
    assert_eq!(cpu(&sample).clock_mhz, Some(2_500));
    assert_eq!(
        sample
            .disks
            .iter()
            .map(|disk| disk.name.as_str())
            .collect::<Vec<_>>(),
        ["vda"]
    );
    assert_eq!(
        sample
            .interfaces
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>(),
        ["eth0"]
    );
    assert_eq!(
        sample
            .file_systems
            .iter()
            .map(|one| one.mount_point.as_str())
            .collect::<Vec<_>>(),
        ["/"]
    );
    assert!(sample.temperatures.is_empty());
    assert!(sample.pressure.is_some());
}

#[test]
fn without_a_tick_in_between_the_last_shares_hold() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    assert_eq!(sampler.read().cpu, None);
    host.edit("proc/stat", "cpu  40000", "cpu  40100");
    let first = sampler.read();
    assert_eq!(cpu(&first).used_percent, 100.0);
    assert_eq!(cpu(&sampler.read()).used_percent, 100.0);
}

#[test]
fn counters_that_begin_anew_give_no_shares_for_one_reading() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    host.write(
        "proc/stat",
        "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0 0 0\n",
    );
    assert_eq!(sampler.read().cpu, None);
    host.write(
        "proc/stat",
        "cpu  30 0 10 160 0 0 0 0 0 0\ncpu0 30 0 10 160 0 0 0 0 0 0\n",
    );
    let sample = sampler.read();
    assert_eq!(cpu(&sample).used_percent, 20.0);
    assert_eq!(cpu(&sample).core_used_percent, [20.0]);
}

#[test]
fn cores_keep_their_numbers_while_others_are_unplugged() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    let line =
        |core: u32, user: u32, idle: u32| format!("cpu{core} {user} 100 5000 {idle} 1000 250 250 0 1250 0\n");
    let all = |user: u32| format!("cpu  {user} 400 20000 900000 4000 1000 1000 0 5000 0\n");

    host.write(
        "proc/stat",
        all(40_050) + &line(0, 10_050, 225_050) + &line(2, 10_000, 225_100) + &line(3, 10_100, 225_000),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 0.0, 0.0, 100.0]);

    host.write("proc/stat", all(40_100) + &line(0, 10_100, 225_100));
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0]);

    // The core that comes back has counted for less time; its first reading is only a beginning.
    host.write(
        "proc/stat",
        all(40_150) + &line(0, 10_150, 225_150) + &line(1, 10_000, 225_000),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 0.0]);
    host.write(
        "proc/stat",
        all(40_200) + &line(0, 10_200, 225_200) + &line(1, 10_020, 225_080),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 20.0]);
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
fn a_file_that_vanishes_costs_its_own_reading_only() {
    let files = [
        "proc/meminfo",
        "proc/diskstats",
        "proc/1/net/dev",
        "proc/uptime",
        "proc/pressure",
        "proc/1/mounts",
    ];
    for file in files {
        let host = Host::recorded("rocky-server");
        host.remove(file);
        let sample = host.sampler().read();
        let empty = [
            (sample.memory.is_none(), "proc/meminfo"),
            (sample.disks.is_empty(), "proc/diskstats"),
            (sample.interfaces.is_empty(), "proc/1/net/dev"),
            (sample.uptime_seconds.is_none(), "proc/uptime"),
            (sample.pressure.is_none(), "proc/pressure"),
            (sample.file_systems.is_empty(), "proc/1/mounts"),
        ];
        for (is_empty, cause) in empty {
            assert_eq!(is_empty, cause == file, "{cause} after {file} vanished");
        }
        assert!(sample.load.is_some());
    }
}

#[test]
fn a_reading_comes_back_with_its_file() {
    let host = Host::recorded("rocky-server");
    let content = std::fs::read(host.path("proc/meminfo")).expect("read");
    host.remove("proc/meminfo");
    let mut sampler = host.sampler();
    assert_eq!(sampler.read().memory, None);
    host.write("proc/meminfo", content);
    assert!(sampler.read().memory.is_some());
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

#[test]
fn processes_are_counted_anew_now_and_then() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    host.write("proc/4711/comm", "new");
    let sample = sampler.read_at(later());
    assert_eq!(sample.processes.map(|processes| processes.total), Some(3));
}

#[test]
fn a_host_without_any_file_gives_an_empty_sample_and_empty_facts() {
    let host = Host::empty();
    let sample = host.sampler().read();
    assert_eq!(
        Sample {
            time_unix_ms: 0,
            ..sample
        },
        Sample::default()
    );
    let facts = hello_facts(&host.root());
    assert_eq!((facts.os.as_str(), facts.cpu_cores), ("Linux", 0));
    assert!(!facts.client_version.is_empty());
}

#[test]
fn facts_come_from_the_hosts_own_trees() {
    let facts = hello_facts(&Host::recorded("rocky-server").root());
    assert_eq!(facts.host_name, "db-1.example.org");
    assert_eq!(facts.os, "Rocky Linux 9.4 (Blue Onyx)");
    assert_eq!(facts.kernel, "5.14.0-427.el9.x86_64");
    assert_eq!(facts.cpu_model, "AMD EPYC 7302P 16-Core Processor");
    assert_eq!((facts.cpu_cores, facts.cpu_clock_max_mhz), (4, Some(3_300)));
    assert_eq!(facts.memory_total_bytes, 16_000_000 * 1024);
    assert_eq!(facts.boot_unix_ms, 1_700_000_000_000);
    assert_eq!(facts.mac_addresses, ["3c:ec:ef:00:11:22"]);
    assert_eq!(facts.ip_addresses, ["10.0.0.5"]);
}

#[test]
fn this_machine_is_read_alike_by_both_ways() {
    let mut sampler = node_client::collect::Sampler::new(HostRoot::default());
    let sample = sampler.read();
    let mut portable = Sample::default();
    Portable::new().read(&mut portable);
    let total = |sample: &Sample| sample.memory.as_ref().map(|memory| memory.total_bytes);
    assert_eq!(total(&sample), total(&portable));
    assert!(sample.load.is_some() && sample.uptime_seconds.is_some() && sample.processes.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_content_of_any_file_makes_a_reading_panic(
        seed in proptest::collection::vec(any::<u8>(), 0..400),
        words in "(cpu[0-9]{0,9}|MemTotal:|some|avg10=|sda|eth0:|/ | ext4|[0-9]{1,22}|-|[ \n\t]){0,120}",
    ) {
        let host = Host::recorded("rocky-server");
        let files = [
            "proc/stat", "proc/loadavg", "proc/meminfo", "proc/uptime", "proc/diskstats", "proc/cpuinfo", "proc/1/mounts",
            "proc/1/net/dev", "proc/1/net/fib_trie", "proc/1/net/if_inet6", "proc/pressure/cpu", "proc/pressure/io",
            "sys/class/hwmon/hwmon0/temp1_input", "sys/class/hwmon/hwmon0/name", "etc/os-release", "etc/hostname",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "sys/class/net/eno1/address",
        ];
        let mut sampler = host.sampler();
        for file in files {
            host.write(file, &seed);
        }
        sampler.read_at(later());
        for file in files {
            host.write(file, &words);
        }
        sampler.read_at(later() + Duration::from_secs(3_600));
        host.sampler().read();
        hello_facts(&host.root());
    }
}
