// Generated from protocol/ by `cargo xtask codegen`. Do not edit.

/**
 * One series over the points of a history.
 */
export type Column = {
/**
 * Name of the series, such as `cpu_used_percent` or `disk_read_bytes_per_second:nvme0n1`.
 */
series: string,
/**
 * Mean over the step; `null` where there is no sample.
 */
mean: Array<number | null>,
/**
 * Smallest value of the step, so that dips survive.
 */
min: Array<number | null>,
/**
 * Largest value of the step, so that peaks survive.
 */
max: Array<number | null>, };

/**
 * Share of time that the processors spent, over the second before the sample.
 */
export type Cpu = {
/**
 * Not idle and not waiting for IO, all cores together, 0 to 100.
 */
used_percent: number,
/**
 * In user code, niced included.
 */
user_percent: number,
/**
 * In the kernel, interrupts included.
 */
system_percent: number,
/**
 * Idle with IO outstanding.
 */
iowait_percent: number,
/**
 * Taken by the hypervisor for others.
 */
steal_percent: number,
/**
 * `used_percent` of each core in the kernel's order.
 */
core_used_percent: Array<number>,
/**
 * Mean clock of the cores now.
 */
clock_mhz: number | null,
/**
 * Highest clock that the cores can reach.
 */
clock_max_mhz: number | null, };

/**
 * One thing that a rollout did, as `POST /api/v1/deploy-events` takes it.
 *
 * Project, release, host, `what` and start name it: told again, it replaces what was told before, so that a deed
 * can be told when it starts and again when it ends.
 */
export type DeployEvent = {
/**
 * Id of the release that was put in place.
 */
release_id: string,
/**
 * The Compose project.
 */
project: string,
/**
 * Who did it, such as `ada@laptop`.
 */
who: string,
/**
 * Name of the host in hosts.toml; `null` for all hosts of the rollout.
 */
host: string | null,
/**
 * What was done, in a few words, such as `rollout` or `node-client updated`.
 */
what: string,
/**
 * When it started, milliseconds since 1970-01-01 UTC.
 */
started_unix_ms: number,
/**
 * When it ended; `null` while it runs.
 */
finished_unix_ms: number | null,
/**
 * How it ended.
 */
outcome: DeployOutcome, };

/**
 * The answer of `GET /api/v1/deploy-events`.
 */
export type DeployEvents = {
/**
 * The events that started in the window, oldest first.
 */
events: Array<DeployEvent>, };

/**
 * How a deed of a rollout ended.
 */
export type DeployOutcome = "running" | "succeeded" | "failed" | "rolled_back";

/**
 * A disk's counters since boot.
 */
export type Disk = {
/**
 * Kernel name, such as `nvme0n1`.
 */
name: string,
/**
 * Bytes read.
 */
read_bytes_total: number,
/**
 * Bytes written.
 */
written_bytes_total: number,
/**
 * Reads completed.
 */
read_operations_total: number,
/**
 * Writes completed.
 */
write_operations_total: number, };

/**
 * Why a host lost samples.
 */
export type DropReason = "unknown" | "spool_full" | "too_old" | "damaged" | "disk_failed";

/**
 * A mounted file system.
 */
export type FileSystem = {
/**
 * Where it is mounted, as the host sees it.
 */
mount_point: string,
/**
 * The device or source.
 */
device: string,
/**
 * Its size.
 */
total_bytes: number,
/**
 * What is taken.
 */
used_bytes: number, };

/**
 * Rows of the hosts that changed in one tick, encoded once for all viewers of the account.
 */
export type FleetFrame = {
/**
 * The server's clock, milliseconds since 1970-01-01 UTC.
 */
server_unix_ms: number,
/**
 * The newest row of each host that changed.
 */
rows: Array<HostRow>, };

/**
 * A stretch without samples.
 */
export type Gap = {
/**
 * First instant without a sample.
 */
from_unix_ms: number,
/**
 * First instant with one again.
 */
to_unix_ms: number,
/**
 * Why.
 */
reason: GapReason, };

/**
 * Why samples are missing.
 */
export type GapReason = "not_received" | "spool_full" | "too_old" | "damaged" | "disk_failed" | "client_not_running" | "expired";

/**
 * The past of one host, as `GET /api/v1/hosts/{id}/history` gives it.
 */
export type History = {
/**
 * The host.
 */
host_id: string,
/**
 * First instant asked for, milliseconds since 1970-01-01 UTC.
 */
from_unix_ms: number,
/**
 * Instant after the last one asked for.
 */
to_unix_ms: number,
/**
 * Distance of two points.
 */
step_ms: number,
/**
 * Start of each point's step.
 */
times_unix_ms: number[],
/**
 * One column for each series asked for, as long as `times_unix_ms`.
 */
columns: Array<Column>,
/**
 * How many samples there are, of how many there should be, for each point, 0 to 1.
 */
coverage: Array<number>,
/**
 * Stretches without samples, and why.
 */
gaps: Array<Gap>, };

/**
 * Full samples of one open host.
 */
export type HostDetail = {
/**
 * The host.
 */
id: string,
/**
 * The numbering that the samples belong to.
 */
epoch: string,
/**
 * New samples, ascending by time; after a subscribe, the recent ones that the server holds in memory.
 */
samples: Array<Sample>, };

/**
 * Something about a host changed.
 */
export type HostEvent = {
/**
 * The host.
 */
id: string,
/**
 * What happened.
 */
kind: HostEventKind,
/**
 * The host as it is now; absent when it was removed.
 */
host: HostSummary | null, };

/**
 * What happened to a host.
 */
export type HostEventKind = "online" | "offline" | "changed" | "removed";

/**
 * Facts of a host that do not change while it is up.
 */
export type HostFacts = {
/**
 * The host's own name.
 */
host_name: string,
/**
 * Operating system and its version.
 */
os: string,
/**
 * Kernel release.
 */
kernel: string,
/**
 * Processor architecture, such as `x86_64`.
 */
architecture: string,
/**
 * Processor model.
 */
cpu_model: string,
/**
 * Logical processors.
 */
cpu_cores: number,
/**
 * Highest clock, if known.
 */
cpu_clock_max_mhz: number | null,
/**
 * Memory of the host.
 */
memory_total_bytes: number,
/**
 * When it booted, milliseconds since 1970-01-01 UTC.
 */
boot_unix_ms: number,
/**
 * MAC addresses of its interfaces.
 */
mac_addresses: Array<string>,
/**
 * IP addresses of its interfaces.
 */
ip_addresses: Array<string>,
/**
 * Version of the node-client.
 */
client_version: string, };

/**
 * The compact readings of one host.
 */
export type HostRow = {
/**
 * The host.
 */
id: string,
/**
 * The host's own clock, milliseconds since 1970-01-01 UTC.
 */
time_unix_ms: number,
/**
 * 0 to 100.
 */
cpu_used_percent: number,
/**
 * Total less available.
 */
memory_used_bytes: number,
/**
 * Memory of the host.
 */
memory_total_bytes: number,
/**
 * All interfaces together, from the last two samples.
 */
received_bytes_per_second: number,
/**
 * All interfaces together, from the last two samples.
 */
sent_bytes_per_second: number,
/**
 * Load over one minute.
 */
load_one_minute: number, };

/**
 * A host as the fleet page shows it.
 */
export type HostSummary = {
/**
 * The server's name for the host, stable for ever.
 */
id: string,
/**
 * What people call it: the name given by a person, else the host's own.
 */
name: string,
/**
 * Labels from the host and from people; a person's label wins.
 */
labels: { [key in string]: string },
/**
 * Whether it has an open connection.
 */
online: boolean,
/**
 * When the server last heard from it, milliseconds since 1970-01-01 UTC; 0 for never.
 */
last_seen_unix_ms: number,
/**
 * The host's clock less the server's, in milliseconds.
 */
clock_offset_ms: number,
/**
 * Another host reports the same machine identity: the two are clones.
 */
cloned_identity: boolean,
/**
 * Facts from its last hello.
 */
facts: HostFacts | null,
/**
 * Its newest readings.
 */
latest: HostRow | null, };

/**
 * A network interface's counters since boot.
 */
export type Interface = {
/**
 * Kernel name, such as `eth0`.
 */
name: string,
/**
 * Bytes in.
 */
received_bytes_total: number,
/**
 * Bytes out.
 */
sent_bytes_total: number,
/**
 * Packets in.
 */
received_packets_total: number,
/**
 * Packets out.
 */
sent_packets_total: number,
/**
 * Receive errors.
 */
received_errors_total: number,
/**
 * Send errors.
 */
sent_errors_total: number, };

/**
 * What the server says to a viewer; `type` tells which.
 */
export type LiveMessage = { "type": "welcome" } & Welcome | { "type": "fleet" } & FleetFrame | { "type": "detail" } & HostDetail | { "type": "event" } & HostEvent | { "type": "notice" } & Notice;

/**
 * Load averages as the kernel gives them.
 */
export type Load = {
/**
 * Over one minute.
 */
one_minute: number,
/**
 * Over five minutes.
 */
five_minutes: number,
/**
 * Over fifteen minutes.
 */
fifteen_minutes: number, };

/**
 * Memory and swap.
 */
export type Memory = {
/**
 * Memory that the kernel manages.
 */
total_bytes: number,
/**
 * Total less available.
 */
used_bytes: number,
/**
 * What programs can still get without swapping.
 */
available_bytes: number,
/**
 * Page cache, buffers and reclaimable slab.
 */
cached_bytes: number,
/**
 * Swap space.
 */
swap_total_bytes: number,
/**
 * Swap space in use.
 */
swap_used_bytes: number, };

/**
 * Words for a person.
 */
export type Notice = {
/**
 * A stable word for programs: `missed_frames`, `bad_message`.
 */
code: string,
/**
 * One sentence.
 */
message: string,
/**
 * How many frames this viewer missed since the last notice, for `missed_frames`.
 */
missed_frames: number, };

/**
 * Share of time in which work stalled, over ten seconds (Linux `/proc/pressure`).
 */
export type Pressure = {
/**
 * Some task waited for a processor.
 */
cpu_some_percent: number,
/**
 * Some task waited for memory.
 */
memory_some_percent: number,
/**
 * All tasks waited for memory.
 */
memory_full_percent: number,
/**
 * Some task waited for IO.
 */
io_some_percent: number,
/**
 * All tasks waited for IO.
 */
io_full_percent: number, };

/**
 * Processes of the host.
 */
export type Processes = {
/**
 * All of them.
 */
total: number,
/**
 * On a processor or ready to be.
 */
running: number, };

/**
 * What a server may ask a host.
 */
export type Question = "unknown" | "processes" | "disks" | "os" | "network" | "containers";

/**
 * All readings of one host at one instant.
 */
export type Sample = {
/**
 * Position in the host's epoch, from 1, without holes on the host's side.
 */
seq: number,
/**
 * The host's own clock, milliseconds since 1970-01-01 UTC.
 */
time_unix_ms: number,
/**
 * Processor readings.
 */
cpu: Cpu | null,
/**
 * Load averages.
 */
load: Load | null,
/**
 * Memory and swap.
 */
memory: Memory | null,
/**
 * One entry for each mounted file system that stores data.
 */
file_systems: Array<FileSystem>,
/**
 * One entry for each physical disk.
 */
disks: Array<Disk>,
/**
 * One entry for each network interface but loopback.
 */
interfaces: Array<Interface>,
/**
 * One entry for each sensor.
 */
temperatures: Array<Temperature>,
/**
 * Pressure stall information, on Linux kernels that have it.
 */
pressure: Pressure | null,
/**
 * Number of processes and of running ones.
 */
processes: Processes | null,
/**
 * Seconds since the host booted.
 */
uptime_seconds: number | null, };

/**
 * The hosts whose full samples this viewer wants.
 */
export type Subscribe = {
/**
 * Host ids; replaces the set before.
 */
open_hosts: Array<string>, };

/**
 * A sensor's reading.
 */
export type Temperature = {
/**
 * What is measured, such as `coretemp Package id 0`.
 */
sensor: string,
/**
 * Degrees Celsius.
 */
celsius: number, };

/**
 * What a viewer says to the server.
 */
export type ViewerMessage = { "type": "subscribe" } & Subscribe;

/**
 * The whole fleet as it is now.
 */
export type Welcome = {
/**
 * Major version of the protocol.
 */
protocol_major: number,
/**
 * Minor version of the protocol.
 */
protocol_minor: number,
/**
 * The server's clock, milliseconds since 1970-01-01 UTC.
 */
server_unix_ms: number,
/**
 * Version of the server.
 */
server_version: string,
/**
 * Every host of the account.
 */
hosts: Array<HostSummary>, };
