import { createAgent } from '../../core/agent.ts';
import type { Action, AgentIdentity, Input } from '../../core/io.ts';

/** Once more than once: what was called a few times is compiled better. */
const TIMES = 3;

const RUN = 'rehearsal';
const SERVER = { host: '127.0.0.1', port: 5201 };
const PLAN = { test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 1 };
const OUTPUT = JSON.stringify({ end: { sum_received: { bits_per_second: 1e6 } } });

const command = (payload: object): Input => ({ kind: 'message', topic: 'command', payload: { run: RUN, ...payload } });

/** A run from its `prepare` until its result is accepted, as inputs with the time of each. */
const WHOLE_RUN: [at_ms: number, input: Input][] = [
  [0, { kind: 'connected' }],
  [0, command({ type: 'prepare', server: SERVER, tests: [PLAN], lease_ms: 16_000 })],
  [0, { kind: 'checked', key: 1, iperf3: '3.12', resolved: true, error: null, wan: null }],
  [0, command({ type: 'start', token: 1, nonce: RUN, server: SERVER, lease_ms: 16_000 })],
  [1000, { kind: 'exited', key: 2, exit_code: 0, stdout: OUTPUT, stderr: '' }],
  [3000, { kind: 'wake' }],
  [3000, command({ type: 'accepted', token: 1 })],
];

/**
 * Plays whole runs with cores of its own, does nothing of what they decide, and returns it. V8 compiles a function when it is called for the first time;
 * without this it would do so while an iperf3 server waits for this device.
 */
export const rehearse = (identity: AgentIdentity): Action[] => {
  const limits = { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null };
  const play = () => {
    const core = createAgent({ ...identity, limits, random: () => RUN, stored: [] });
    return WHOLE_RUN.flatMap(([at_ms, input]) => core.handle(input, at_ms));
  };
  let played = play();
  for (let time = 1; time < TIMES; time += 1) played = play();
  return played;
};
