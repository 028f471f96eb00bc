/** Shapes of the HTTP API that do not cross a socket. */
import type { HostSummary } from "../protocol.generated";

export interface Account {
  id: string;
  name: string;
}

export interface Grant {
  access_token: string;
  expires_in_seconds: number;
  account?: Account;
}

export interface ServerStatus {
  setup_required: boolean;
  registration_open: boolean;
  version: string;
}

export interface ApiKey {
  id: string;
  prefix: string;
  label: string;
  created_unix_ms: number;
  expires_unix_ms?: number | null;
  last_used_unix_ms?: number | null;
}

/** The only answer that holds the key itself. */
export interface CreatedKey extends ApiKey {
  key: string;
}

export interface Ticket {
  ticket: string;
  expires_in_seconds: number;
}

export interface HostChange {
  name?: string;
  labels?: Record<string, string>;
}

export interface HostList {
  hosts: HostSummary[];
}

export type FleetAggregate = "mean" | "sum" | "max" | "p95";

/** One series of many hosts, put together. */
export interface FleetHistory {
  series: string;
  aggregate: FleetAggregate;
  step_ms: number;
  times_unix_ms: number[];
  groups: FleetGroup[];
}

export interface FleetGroup {
  /** Value of the label; empty for hosts without it and for the whole fleet. */
  label: string;
  hosts: number;
  values: (number | null)[];
}

/** What a host answered when it was asked last. */
export interface LastAnswer {
  question: string;
  answered_unix_ms: number;
  answer: unknown;
}
