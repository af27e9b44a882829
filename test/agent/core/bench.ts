import '../../../agent/hosts/node/builtins.ts';
import { createAgent } from '../../../agent/core/agent.ts';
import type { Action, AgentIdentity, Input, StoredResult } from '../../../agent/core/io.ts';
import type { AgentEvent, AgentStatus, RunResult } from '../../../broker/contract/messages.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export const test = (more: object = {}) => ({
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  duration_s: 10,
  ...more,
});

export const prepare = (more: object = {}) => ({
  type: 'prepare',
  run: 'r-1',
  server: { host: 'iperf.example.net', port: 5201 },
  tests: [test()],
  lease_ms: 25_000,
  ...more,
});

/** What iperf3 prints after a good TCP upload or download. */
export const report = (bits_per_second: number) => JSON.stringify({ end: { sum_received: { bits_per_second } } });

export const busy = '{"error": "the server is busy running a test. try again later"}';

/** An agent's core with the time in hand: what it did last, and what it did so far. */
export class Bench {
  now = 1_000;
  readonly all: Action[] = [];
  last: Action[] = [];
  readonly agent;
  #nonces = 0;

  constructor(more: Partial<AgentIdentity> = {}) {
    this.agent = createAgent({
      device: 'ap-12',
      boot: 'boot-a',
      agent: '0.1.0',
      host: 'node',
      iperf3: '3.12',
      key_path: '/tmp/x/key.pem',
      limits: { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null },
      random: () => `n-${++this.#nonces}`,
      stored: [],
      ...more,
    });
  }

  give(input: Input): this {
    this.last = this.agent.handle(input, this.now);
    this.all.push(...this.last);
    return this;
  }

  connect(): this {
    return this.give({ kind: 'connected' });
  }

  command(payload: unknown): this {
    return this.give({ kind: 'message', topic: 'command', payload });
  }

  /** Lets time pass, waking the agent whenever it asked for it. */
  pass(ms: number): this {
    const end = this.now + ms;
    const seen: Action[] = [];
    for (;;) {
      const at = this.all.findLast((action) => action.kind === 'wake')?.at_ms ?? null;
      if (at === null || at > end) break;
      this.now = Math.max(this.now, at);
      this.give({ kind: 'wake' });
      seen.push(...this.last);
    }
    this.now = end;
    this.last = seen;
    return this;
  }

  /** Answers the newest check, or the one `ago` checks before it; nobody looked at the WAN. */
  checked(more: object = {}, ago = 0): this {
    const { key } = this.of('check', this.all).at(-1 - ago) ?? { key: 0 };
    return this.give({ kind: 'checked', key, iperf3: '3.12', resolved: true, error: null, wan: null, ...more });
  }

  exit(stdout = report(1e8), more: object = {}): this {
    const { key } = this.of('spawn', this.all).at(-1) ?? { key: 0 };
    return this.give({ kind: 'exited', key, exit_code: 0, stdout, stderr: '', ...more });
  }

  /** Connected, prepared, checked: a nonce is out. */
  ready(command: object = prepare()): this {
    return this.connect().command(command).checked();
  }

  start(token: number, more: object = {}): this {
    return this.command({ type: 'start', run: 'r-1', token, nonce: this.nonce(), ...more });
  }

  /** The newest nonce. */
  nonce(): string {
    const event = this.events(this.all).findLast(({ type }) => type === 'ready');
    return event?.type === 'ready' ? event.nonce : 'none';
  }

  of<K extends Action['kind']>(kind: K, actions: Action[] = this.last): Of<K>[] {
    return actions.filter((action): action is Of<K> => action.kind === kind);
  }

  events(actions: Action[] = this.last): AgentEvent[] {
    return this.of('publish', actions).flatMap((one) => (one.what === 'event' ? [one.payload] : []));
  }

  /** The types of the last events, for short. */
  said(): string[] {
    return this.events().map(({ type }) => type);
  }

  reason(): string {
    const event = this.events().find(({ type }) => type === 'declined');
    return event?.type === 'declined' ? event.reason : '';
  }

  results(actions: Action[] = this.last): RunResult[] {
    return this.of('publish', actions).flatMap((one) => (one.what === 'result' ? [one.payload] : []));
  }

  /** The results that are sent a moment later. */
  sentSoon(): RunResult[] {
    return this.pass(100).results();
  }

  statuses(actions: Action[] = this.last): AgentStatus[] {
    return this.of('publish', actions).flatMap((one) => (one.what === 'status' ? [one.payload] : []));
  }
}

export const stored = (run: string, token: number, stdout = '{}'): StoredResult => ({
  run,
  token,
  nonce: `n-of-${run}`,
  tests: [{ test: 'tcp-upload', exit_code: 0, stdout, stderr: '', started_ms: 1, ended_ms: 2 }],
});
