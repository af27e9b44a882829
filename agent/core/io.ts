import type { AgentEvent, AgentStatus, RunResult, SystemLoad, TestOutput } from '../../broker/contract/messages.ts';
import type { eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';

/** What goes into the core and what comes out of it: plain data, so that every host and every test can drive it. */

/** What the device's owner allows; null where there is no limit of his own. */
export interface Limits {
  max_duration_s: number | null;
  max_streams: number | null;
  /** bit/s */
  max_bitrate: number | null;
  /** "host" or "host:port" */
  servers: string[] | null;
}

/** A finished run, as it lies on RAM disk until it is accepted. */
export interface StoredResult {
  run: string;
  token: number;
  nonce: string;
  tests: TestOutput[];
}

/** How much may be kept of results that nobody accepted yet. */
export interface Room {
  results: number;
  bytes: number;
}

/** Who the agent is. `boot` is a random id of this start, `random` gives a fresh random id for each nonce. */
export interface AgentIdentity {
  device: string;
  boot: string;
  /** Version of the agent. */
  agent: string;
  /** What the core runs on; `ssh`: in the controller, for a device without an agent. */
  host: 'node' | 'openwrt' | 'ssh';
  /** Version of iperf3, null when it is missing. */
  iperf3: string | null;
  /** Where the host puts a server's public key while a test runs. */
  key_path: string;
  limits: Limits;
  random: () => string;
  /** Results that an earlier start left, oldest first. */
  stored: StoredResult[];
  /** Asked whenever a result is added; without it, what a device with plenty of memory can hold. */
  room?: () => Room;
}

/** What went through the WAN interface while it was watched, both directions together; whole bit/s. */
export interface WanTraffic {
  interface: string;
  bits_per_second: number;
}

/** What a `check` found. `wan` is null when nobody asked for it, or when it cannot be known. */
export interface Found {
  iperf3: string | null;
  resolved: boolean;
  error: string | null;
  wan: WanTraffic | null;
}

/**
 * How an iperf3 ended. `wan_bytes`: what went over the WAN interface meanwhile, both ways; `system`: how busy the device was (system.ts); null
 * or absent when that is not known.
 */
export interface Exit {
  exit_code: number | null;
  stdout: string;
  stderr: string;
  wan_bytes?: number | null;
  system?: SystemLoad | null;
}

export type Input =
  | { kind: 'connected' }
  | { kind: 'disconnected' }
  | { kind: 'message'; topic: 'command' | 'status' | 'controller'; payload: unknown }
  | ({ kind: 'checked'; key: number } & Found)
  | ({ kind: 'exited'; key: number } & Exit)
  | { kind: 'wake' }
  | { kind: 'stop' };

/** The status is retained, the others are not. What cannot be sent now is not queued: the core sends again what matters. */
export type Publication =
  | { kind: 'publish'; what: 'status'; topic: ReturnType<typeof statusTopic>; payload: AgentStatus }
  | { kind: 'publish'; what: 'event'; topic: ReturnType<typeof eventTopic>; payload: AgentEvent }
  | { kind: 'publish'; what: 'result'; topic: ReturnType<typeof resultTopic>; payload: RunResult };

/** How one iperf3 is run. `key_file` is the file with the server's public key, null without authentication. */
export interface Client {
  argv: string[];
  env: { [name: string]: string };
  key_file: { path: string; text: string } | null;
}

export type Action =
  | Publication
  /**
   * Find iperf3's version, resolve `host` and, with `wan`, watch the traffic of the WAN interface for WAN_LOOK_MS; answer with `checked`. Of
   * several only the last is still waited for.
   */
  | { kind: 'check'; key: number; host: string; wan: boolean }
  /** Start the guard of the `spawn` with this key ahead of time; iperf3 waits for that. What fails here is no harm: `spawn` says it all again. */
  | ({ kind: 'arm'; key: number } & Client)
  /** The `spawn` with this key will not come: end its guard. */
  | { kind: 'disarm'; key: number }
  /**
   * Run iperf3 under the guard, the waiting one if there is one with this key, dead at `until_ms` (same clock as `now_ms`) at the latest;
   * do not start it when that is past. Answer with `exited`, also when it could not be started, and not before the process is gone.
   */
  | ({ kind: 'spawn'; key: number; until_ms: number } & Client)
  | { kind: 'kill'; key: number; signal: 'TERM' | 'KILL' }
  | { kind: 'store_result'; result: StoredResult }
  | { kind: 'forget_result'; run: string }
  /** Call again with `wake` at this time; replaces the wake before it. */
  | { kind: 'wake'; at_ms: number | null }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn'; message: string }
  | { kind: 'exit' };
