//! What `print` shows.

use metric_flow_protocol::{
    metrics::{Cpu, Disk, FileSystem, Interface, Load, Memory, Processes, Sample, Temperature},
    node::HostFacts,
};
use node_client::print;

fn facts() -> HostFacts {
    HostFacts {
        host_name: "db-1".to_owned(),
        os: "Rocky Linux 9.4 (Blue Onyx)".to_owned(),
        kernel: "5.14.0".to_owned(),
        architecture: "x86_64".to_owned(),
        cpu_model: "AMD EPYC 7302P".to_owned(),
        cpu_cores: 2,
        ip_addresses: vec!["10.0.0.5".to_owned()],
        ..HostFacts::default()
    }
}

fn before() -> Sample {
    Sample {
        time_unix_ms: 1_000,
        disks: vec![Disk {
            name: "sda".to_owned(),
            read_bytes_total: 1_000,
            ..Disk::default()
        }],
        interfaces: vec![Interface {
            name: "eno1".to_owned(),
            sent_bytes_total: 5_000,
            ..Interface::default()
        }],
        ..Sample::default()
    }
}

fn after() -> Sample {
    Sample {
        time_unix_ms: 3_000,
        cpu: Some(Cpu {
            used_percent: 37.5,
            user_percent: 25.0,
            system_percent: 12.5,
            core_used_percent: vec![50.0, 25.0],
            clock_mhz: Some(2_300),
            clock_max_mhz: Some(3_300),
            ..Cpu::default()
        }),
        load: Some(Load {
            one_minute: 1.5,
            five_minutes: 0.75,
            fifteen_minutes: 0.25,
        }),
        memory: Some(Memory {
            total_bytes: 16 << 30,
            used_bytes: 4 << 30,
            cached_bytes: 1 << 30,
            ..Memory::default()
        }),
        file_systems: vec![FileSystem {
            mount_point: "/".to_owned(),
            device: "/dev/sda".to_owned(),
            total_bytes: 100 << 30,
            used_bytes: 25 << 30,
        }],
        disks: vec![
            Disk {
                name: "sda".to_owned(),
                read_bytes_total: 1_000 + 4_096,
                ..Disk::default()
            },
            Disk {
                name: "sdb".to_owned(),
                ..Disk::default()
            },
        ],
        interfaces: vec![Interface {
            name: "eno1".to_owned(),
            sent_bytes_total: 10,
            ..Interface::default()
        }],
        temperatures: vec![Temperature {
            sensor: "k10temp Tctl".to_owned(),
            celsius: 54.25,
        }],
        processes: Some(Processes {
            total: 97,
            running: 3,
        }),
        uptime_seconds: Some(7_260.0),
        ..Sample::default()
    }
}

#[test]
fn the_table_shows_what_there_is_and_rates_since_the_first_reading() {
    let expected = "\
Host          db-1 · Rocky Linux 9.4 (Blue Onyx) · 5.14.0 · x86_64
Up for        2 h 1 min
Addresses     10.0.0.5

Processors    2 × AMD EPYC 7302P
              used 37.5 % · user 25.0 % · system 12.5 % · iowait 0.0 % · steal 0.0 %
              core 0-1      50   25 %
Clock         2300 MHz of 3300 MHz
Load          1.50  0.75  0.25 · over 1, 5 and 15 minutes
Processes     97 · 3 running
Memory        4.00 GiB of 16.0 GiB used, 25.0 % · 1.00 GiB cached

File systems
         used       of
  /  25.0 GiB  100 GiB  25.0 %

Disks
             read  written  reads  writes
  sda  2.00 KiB/s    0 B/s    0/s     0/s
  sdb           -        -      -       -

Interfaces
        received  sent  packets in  out        errors
  eno1     0 B/s     -         0/s  0/s  0 since boot

Temperatures
  k10temp Tctl  54.2 °C
";
    assert_eq!(print::table(&facts(), &before(), &after()), expected);
}

#[test]
fn a_host_that_says_nothing_has_a_short_table() {
    let table = print::table(&HostFacts::default(), &Sample::default(), &Sample::default());
    assert_eq!(table, "\nProcessors    0 × \n");
}

#[test]
fn the_document_uses_the_words_of_the_protocol() {
    let text = print::json("abc", &facts(), &after());
    let document: serde_json::Value = text
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    assert_eq!(document["machine_identity"], "abc");
    assert_eq!(document["facts"]["host_name"], "db-1");
    assert_eq!(document["sample"]["cpu"]["used_percent"], 37.5);
    assert_eq!(document["sample"]["disks"][0]["read_bytes_total"], 5_096);
}
