//! Recorded hosts, read as they are and with files taken away.

use std::time::Duration;

use metric_flow_protocol::metrics::{Pressure, Sample};
use node_client::{
    collect::{Portable, Sampler},
    facts::hello_facts,
    host_root::HostRoot,
};
use proptest::prelude::*;

use super::host::{Host, cpu, later};

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
    let mut sampler = Sampler::new(HostRoot::default());
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
