import {
  type Container,
  type Disk,
  type FileSystem,
  leftOut,
  type NetworkInterface,
  type Process,
  type Question,
  readContainers,
  readNetwork,
  readOs,
  readProcesses,
  readStorage,
} from "../ask/answers";
import { formatBytes, formatDuration, formatPercent, plural, UNKNOWN } from "../format";
import { type Column, DataTable } from "../ui/data-table";

/** A host's answer as tables. */
export function AnswerOf({ question, answer }: { question: Question; answer: unknown }) {
  const missing = leftOut(answer);
  return (
    <>
      <Tables question={question} answer={answer} />
      {missing > 0 && (
        <p className="muted fine">{plural(missing, "more entry", "more entries")} did not fit.</p>
      )}
    </>
  );
}

function Tables({ question, answer }: { question: Question; answer: unknown }) {
  switch (question) {
    case "processes":
      return <Processes answer={answer} />;
    case "containers":
      return <Containers answer={answer} />;
    case "network":
      return <Network answer={answer} />;
    case "disks":
      return <Disks answer={answer} />;
    case "os":
      return <System answer={answer} />;
  }
}

const PROCESS_COLUMNS: Column<Process>[] = [
  { head: "PID", value: ({ pid }) => pid, number: true },
  { head: "Name", value: ({ name }) => name },
  { head: "User", value: ({ user }) => user, wide: true },
  { head: "CPU", value: (row) => row.cpuPercent, show: (row) => formatPercent(row.cpuPercent), number: true },
  {
    head: "Memory",
    value: (row) => row.memoryBytes,
    show: (row) => formatBytes(row.memoryBytes),
    number: true,
  },
  { head: "State", value: ({ state }) => state, wide: true },
  {
    head: "Running for",
    value: ({ startedMs }) => (startedMs ? -startedMs : null),
    show: ({ startedMs }) => (startedMs ? formatDuration(Date.now() - startedMs) : UNKNOWN),
    number: true,
    wide: true,
  },
];

function Processes({ answer }: { answer: unknown }) {
  const { total, processes } = readProcesses(answer);
  return (
    <>
      <DataTable
        label="List of processes"
        columns={PROCESS_COLUMNS}
        rows={processes}
        rowKey={({ pid }, index) => String(pid ?? `?${index}`)}
        by="CPU"
      />
      <p className="muted fine">
        {total !== null && total > processes.length
          ? `The ${processes.length} busiest of ${plural(total, "process", "processes")}. `
          : `${plural(processes.length, "process", "processes")}. `}
        100 % CPU is one core.
      </p>
    </>
  );
}

const CONTAINER_COLUMNS: Column<Container>[] = [
  { head: "Name", value: ({ name, id }) => name || id },
  { head: "Image", value: ({ image }) => image, wide: true },
  { head: "State", value: ({ state }) => state },
  { head: "Status", value: ({ status }) => status },
];

function Containers({ answer }: { answer: unknown }) {
  const { engine, containers } = readContainers(answer);
  if (!engine) return <p className="note">There is no container engine on this host.</p>;
  if (containers.length === 0) return <p className="note">{engine} has no containers.</p>;
  return (
    <DataTable
      label="List of containers"
      columns={CONTAINER_COLUMNS}
      rows={containers}
      rowKey={({ id }, index) => `${id}${index}`}
      by="Name"
    />
  );
}

const INTERFACE_COLUMNS: Column<NetworkInterface>[] = [
  { head: "Interface", value: ({ name }) => name },
  { head: "State", value: ({ state }) => state },
  { head: "MAC address", value: ({ mac }) => mac, wide: true },
  {
    head: "MTU",
    value: (row) => row.mtuBytes,
    show: (row) => formatBytes(row.mtuBytes),
    number: true,
    wide: true,
  },
  {
    head: "Speed",
    value: (row) => row.megabitsPerSecond,
    show: (row) => (row.megabitsPerSecond ? `${row.megabitsPerSecond} Mbit/s` : UNKNOWN),
    number: true,
  },
];

function Network({ answer }: { answer: unknown }) {
  const { interfaces, addresses } = readNetwork(answer);
  return (
    <>
      <DataTable
        label="List of interfaces"
        columns={INTERFACE_COLUMNS}
        rows={interfaces}
        rowKey={({ name }, index) => `${name}${index}`}
        by="Interface"
      />
      <p className="muted fine wrap">Addresses: {addresses.join(", ") || "none"}</p>
    </>
  );
}

const DISK_COLUMNS: Column<Disk>[] = [
  { head: "Disk", value: ({ name }) => name },
  { head: "Model", value: ({ model }) => model, wide: true },
  { head: "Kind", value: ({ kind }) => kind },
  { head: "Size", value: (row) => row.sizeBytes, show: (row) => formatBytes(row.sizeBytes), number: true },
];

const usedPercent = ({ usedBytes, totalBytes }: FileSystem): number | null =>
  usedBytes !== null && totalBytes ? (usedBytes / totalBytes) * 100 : null;

const FILE_SYSTEM_COLUMNS: Column<FileSystem>[] = [
  { head: "Mounted at", value: (row) => row.mountPoint },
  { head: "Device", value: ({ device }) => device, wide: true },
  { head: "Used", value: usedPercent, show: (row) => formatPercent(usedPercent(row)), number: true },
  { head: "Size", value: (row) => row.totalBytes, show: (row) => formatBytes(row.totalBytes), number: true },
];

function Disks({ answer }: { answer: unknown }) {
  const { disks, fileSystems } = readStorage(answer);
  return (
    <>
      <DataTable
        label="List of disks"
        columns={DISK_COLUMNS}
        rows={disks}
        rowKey={({ name }, index) => `${name}${index}`}
        by="Disk"
      />
      <DataTable
        label="List of file systems"
        columns={FILE_SYSTEM_COLUMNS}
        rows={fileSystems}
        rowKey={(row, index) => `${row.mountPoint}${index}`}
        by="Used"
      />
    </>
  );
}

function System({ answer }: { answer: unknown }) {
  const facts = readOs(answer);
  if (facts.length === 0) return <p className="note">The host says nothing about its system.</p>;
  return (
    <dl className="facts bare">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
