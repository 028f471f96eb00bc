/** What a host answers to a question. A host may be anything that speaks the protocol: every field is looked at. */

export const QUESTIONS = ["processes", "containers", "network", "disks", "os"] as const;
export type Question = (typeof QUESTIONS)[number];

export interface Process {
  pid: number | null;
  name: string;
  user: string;
  state: string;
  cpuPercent: number | null;
  memoryBytes: number | null;
  startedMs: number | null;
}

export interface ProcessList {
  /** How many there are; the answer holds the busiest. */
  total: number | null;
  processes: Process[];
}

export interface Container {
  id: string;
  name: string;
  image: string;
  state: string;
  status: string;
}

export interface ContainerList {
  /** Empty where the host has no engine. */
  engine: string;
  containers: Container[];
}

export interface NetworkInterface {
  name: string;
  state: string;
  mac: string;
  mtuBytes: number | null;
  megabitsPerSecond: number | null;
}

export interface Network {
  interfaces: NetworkInterface[];
  addresses: string[];
}

export interface Disk {
  name: string;
  model: string;
  sizeBytes: number | null;
  kind: string;
}

export interface FileSystem {
  mountPoint: string;
  device: string;
  usedBytes: number | null;
  totalBytes: number | null;
}

export interface Storage {
  disks: Disk[];
  fileSystems: FileSystem[];
}

/** A name and what it says. */
export type Fact = [name: string, value: string];

export function readProcesses(document: unknown): ProcessList {
  return {
    total: numberOf(field(document, "total")),
    processes: listOf(document, "processes").map((entry) => ({
      pid: numberOf(field(entry, "pid")),
      name: textOf(field(entry, "name")),
      user: textOf(field(entry, "user")) || textOf(field(entry, "user_id")),
      state: textOf(field(entry, "state")),
      cpuPercent: numberOf(field(entry, "cpu_percent_of_a_core")),
      memoryBytes: numberOf(field(entry, "memory_bytes")),
      startedMs: numberOf(field(entry, "started_unix_ms")),
    })),
  };
}

export function readContainers(document: unknown): ContainerList {
  return {
    engine: textOf(field(document, "engine")),
    containers: listOf(document, "containers").map((entry) => ({
      id: textOf(field(entry, "id")),
      name: textOf(field(entry, "name")),
      image: textOf(field(entry, "image")),
      state: textOf(field(entry, "state")),
      status: textOf(field(entry, "status")),
    })),
  };
}

export function readNetwork(document: unknown): Network {
  return {
    interfaces: listOf(document, "interfaces").map((entry) => ({
      name: textOf(field(entry, "name")),
      state: textOf(field(entry, "state")),
      mac: textOf(field(entry, "mac_address")),
      mtuBytes: numberOf(field(entry, "mtu_bytes")),
      megabitsPerSecond: numberOf(field(entry, "speed_mbit_per_second")),
    })),
    addresses: listOf(document, "ip_addresses").map(textOf).filter(Boolean),
  };
}

export function readStorage(document: unknown): Storage {
  return {
    disks: listOf(document, "disks").map((entry) => ({
      name: textOf(field(entry, "name")),
      model: [textOf(field(entry, "vendor")), textOf(field(entry, "model"))].filter(Boolean).join(" "),
      sizeBytes: numberOf(field(entry, "size_bytes")),
      kind: kindOf(field(entry, "rotates"), field(entry, "removable")),
    })),
    fileSystems: listOf(document, "file_systems").map((entry) => ({
      mountPoint: textOf(field(entry, "mount_point")),
      device: textOf(field(entry, "device")),
      usedBytes: numberOf(field(entry, "used_bytes")),
      totalBytes: numberOf(field(entry, "total_bytes")),
    })),
  };
}

/** The fields of os-release(5) that say something to a person. */
const RELEASE_FIELDS: Fact[] = [
  ["pretty_name", "System"],
  ["id", "Short name"],
  ["version_id", "Version"],
  ["version_codename", "Code name"],
  ["support_end", "Supported until"],
  ["home_url", "Home page"],
];

export function readOs(document: unknown): Fact[] {
  const release = field(document, "os_release");
  const facts = field(document, "facts");
  const rows: Fact[] = RELEASE_FIELDS.map(([key, name]) => [name, textOf(field(release, key))]);
  rows.push(["Kernel", textOf(field(facts, "kernel"))]);
  rows.push(["Architecture", textOf(field(facts, "architecture"))]);
  rows.push(["Processor", textOf(field(facts, "cpu_model"))]);
  return rows.filter(([, value]) => value !== "");
}

/** How many entries did not fit into the answer. */
export const leftOut = (document: unknown): number => numberOf(field(document, "left_out")) ?? 0;

function kindOf(rotates: unknown, removable: unknown): string {
  const kind = rotates === true ? "spinning" : rotates === false ? "solid state" : "";
  return [kind, removable === true ? "removable" : ""].filter(Boolean).join(", ");
}

function field(document: unknown, name: string): unknown {
  if (typeof document !== "object" || document === null || !Object.hasOwn(document, name)) return undefined;
  return (document as Record<string, unknown>)[name];
}

function listOf(document: unknown, name: string): unknown[] {
  const list = field(document, name);
  return Array.isArray(list) ? list : [];
}

/** Longest text that is shown of a host's answer. */
const TEXT_MAX = 300;

function textOf(value: unknown): string {
  if (typeof value === "string") return value.slice(0, TEXT_MAX);
  return typeof value === "number" ? String(value) : "";
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
