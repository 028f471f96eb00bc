import type { Sample } from "../protocol.generated";

type Emit = (name: string, value: number) => void;

/** Readings that are shown as they are. */
export function eachGauge(sample: Sample, emit: Emit): void {
  const { cpu, load, memory, pressure, processes } = sample;
  if (cpu) {
    emit("cpu_used_percent", cpu.used_percent);
    emit("cpu_user_percent", cpu.user_percent);
    emit("cpu_system_percent", cpu.system_percent);
    emit("cpu_iowait_percent", cpu.iowait_percent);
    emit("cpu_steal_percent", cpu.steal_percent);
    cpu.core_used_percent.forEach((used, core) => {
      emit(`core_used_percent:${core}`, used);
    });
    if (cpu.clock_mhz != null) emit("clock_mhz", cpu.clock_mhz);
  }
  if (load) {
    emit("load_one_minute", load.one_minute);
    emit("load_five_minutes", load.five_minutes);
    emit("load_fifteen_minutes", load.fifteen_minutes);
  }
  if (memory) {
    emit("memory_used_bytes", memory.used_bytes);
    emit("memory_total_bytes", memory.total_bytes);
    emit("memory_available_bytes", memory.available_bytes);
    emit("memory_cached_bytes", memory.cached_bytes);
    emit("swap_used_bytes", memory.swap_used_bytes);
    emit("swap_total_bytes", memory.swap_total_bytes);
  }
  for (const system of sample.file_systems) {
    emit(`file_system_used_bytes:${system.mount_point}`, system.used_bytes);
    emit(`file_system_total_bytes:${system.mount_point}`, system.total_bytes);
  }
  for (const { sensor, celsius } of sample.temperatures) emit(`temperature_celsius:${sensor}`, celsius);
  if (pressure) {
    emit("pressure_cpu_some_percent", pressure.cpu_some_percent);
    emit("pressure_memory_some_percent", pressure.memory_some_percent);
    emit("pressure_memory_full_percent", pressure.memory_full_percent);
    emit("pressure_io_some_percent", pressure.io_some_percent);
    emit("pressure_io_full_percent", pressure.io_full_percent);
  }
  if (processes) {
    emit("processes_total", processes.total);
    emit("processes_running", processes.running);
  }
  if (sample.uptime_seconds != null) emit("uptime_seconds", sample.uptime_seconds);
}

/** Readings that only grow, under the name of the rate that is shown. */
export function eachCounter(sample: Sample, emit: Emit): void {
  for (const disk of sample.disks) {
    emit(`disk_read_bytes_per_second:${disk.name}`, disk.read_bytes_total);
    emit(`disk_written_bytes_per_second:${disk.name}`, disk.written_bytes_total);
    emit(`disk_read_operations_per_second:${disk.name}`, disk.read_operations_total);
    emit(`disk_write_operations_per_second:${disk.name}`, disk.write_operations_total);
  }
  for (const link of sample.interfaces) {
    emit(`interface_received_bytes_per_second:${link.name}`, link.received_bytes_total);
    emit(`interface_sent_bytes_per_second:${link.name}`, link.sent_bytes_total);
    emit(`interface_received_packets_per_second:${link.name}`, link.received_packets_total);
    emit(`interface_sent_packets_per_second:${link.name}`, link.sent_packets_total);
    emit(`interface_received_errors_per_second:${link.name}`, link.received_errors_total);
    emit(`interface_sent_errors_per_second:${link.name}`, link.sent_errors_total);
  }
}

/** Growth per second; null for the first reading and after a reset, which has no rate. */
export function counterRate(before: number | undefined, now: number, elapsedMs: number): number | null {
  if (before === undefined || now < before || elapsedMs <= 0) return null;
  return ((now - before) * 1000) / elapsedMs;
}
