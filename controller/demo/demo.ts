import type { Clock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { Log } from '../../broker/log.ts';
import type { RunRecord } from '../run-record.ts';
import type { Progress } from '../runs/progress.ts';
import { findProgram } from './find-program.ts';
import { LiveView } from './live-view.ts';
import { Stage } from './stage.ts';
import { slotLine, table } from './summary.ts';
import { readWitness, slotUse } from './witness.ts';

export interface DemoOptions {
  json: boolean;
  devices: number;
  servers: number;
  /** Seconds of each test, without its omit. */
  duration_s: number;
  /** The built agent. */
  agent: string;
  version: string;
}

export interface DemoIo {
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: { write(text: string): unknown };
  env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  clock: Clock;
  random: () => number;
}

/** What `perfleet demo --json` prints. `slot_use` is Σ(spawn to exit of iperf3) ÷ (makespan × servers). */
export interface DemoReport {
  runs: RunRecord[];
  slot_use: number;
  makespan_s: number;
}

/** Agents and controller find each other within this time, or something is wrong. */
const READY_MS = 30_000;

/** The live view is drawn this often. */
const FRAME_MS = 200;

const PLAN = { streams: 1, omit_s: 1, length: null, window: null, congestion: null, bitrate: null } as const;

/** The default check, shortened. */
export const demoTests = (duration_s: number): TestPlan[] => [
  { ...PLAN, test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s },
  { ...PLAN, test: 'tcp-download', protocol: 'tcp', direction: 'download', duration_s },
  { ...PLAN, test: 'udp-upload', protocol: 'udp', direction: 'upload', duration_s, bitrate: 'auto' },
];

/** Warnings and errors of the demo's parts are only worth a look when it fails. */
const keepLog = (lines: string[]): Log => {
  const keep = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: () => {}, info: () => {}, warn: keep, error: keep };
};

/** Rejects when the signal is aborted or `fail` is called; `during` wins otherwise. */
const unlessFailed = async <T>(during: Promise<T>, failure: Promise<never>): Promise<T> =>
  Promise.race([during, failure]);

/**
 * Measures a small fleet on this machine, for real: embedded broker, controller, iperf3 servers, agents as processes. Returns the
 * exit code: 0 only if all runs succeeded and no two clients ever met on a server. Leaves nothing behind.
 */
export const runDemo = async (options: DemoOptions, io: DemoIo): Promise<number> => {
  const iperf3 = findProgram('iperf3', io.env);
  if (iperf3 === null) {
    io.stderr.write('perfleet demo: iperf3 is not on the PATH. Install it: sudo apt-get install -y iperf3\n');
    return 1;
  }
  const said: string[] = [];
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  const onAbort = () => fail(new Error('interrupted'));
  io.signal.addEventListener('abort', onAbort, { once: true });
  const stage = await Stage.prepare({
    ...options,
    tests: demoTests(options.duration_s),
    iperf3,
    env: io.env,
    clock: io.clock,
    random: io.random,
    log: keepLog(said),
    onFatal: fail,
  });
  try {
    if (io.signal.aborted) throw new Error('interrupted');
    await unlessFailed(stage.start(), failure);
    const report = await unlessFailed(perform(stage, options, io), failure);
    if (options.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    else io.stdout.write(`\n${table(report.runs)}\n${slotLine(report, options.servers)}\n`);
    return report.runs.every((run) => run.outcome === 'success') ? 0 : 1;
  } catch (error) {
    io.stderr.write(`perfleet demo: ${(error as Error).message}\n`);
    if (!io.signal.aborted) for (const line of said) io.stderr.write(`  ${line}\n`);
    return io.signal.aborted ? 130 : 1;
  } finally {
    io.signal.removeEventListener('abort', onAbort);
    await stage.stop();
  }
};

/** Resolves when `ready` holds after a progress or a look every FRAME_MS; rejects when that takes too long. */
const until = (io: DemoIo, ready: () => boolean, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const deadline = io.clock.now() + READY_MS;
    const look = () => {
      if (ready()) resolve();
      else if (io.signal.aborted || io.clock.now() >= deadline)
        reject(new Error(`${what} took longer than ${READY_MS / 1000} s`));
      else io.clock.after(FRAME_MS, look);
    };
    look();
  });

const perform = async (stage: Stage, options: DemoOptions, io: DemoIo): Promise<DemoReport> => {
  const { fleet } = stage.controller;
  const say = (line: string) => {
    if (!options.json) io.stdout.write(`${line}\n`);
  };
  say(
    `${options.devices} devices, ${options.servers} iperf3 servers, one controller, on this machine: ${stage.folder}`,
  );
  say('waiting for the agents, and for other controllers to object …');
  const allOnline = () => fleet.status().in_charge && fleet.devices().every((device) => device.online);
  await until(io, allOnline, 'bringing everything online');

  const view = new LiveView(fleet.servers().map((server) => server.server));
  const screen = liveScreen(view, options, io);
  const records: RunRecord[] = [];
  const began_ms = io.clock.wall();
  await new Promise<void>((resolve) => {
    const stop = fleet.watch((progress: Progress) => {
      screen.note(progress);
      if (progress.phase !== 'final') return;
      const record = fleet.record(progress.run);
      if (record.ok) records.push(record.value);
      if (records.length < options.devices) return;
      stop();
      resolve();
    });
    for (const { device } of fleet.devices()) {
      const order = fleet.orderRun({ device, server: null }, (run) => view.add(run, device));
      if (!order.ok) throw new Error(order.problem.message);
    }
  });
  screen.stop();

  const use = slotUse(readWitness(stage.witness));
  if (use.refused > 0) throw new Error(`${use.refused} iperf3 clients met another one on their server`);
  const makespan_s = (use.last_exit_ms - began_ms) / 1000;
  const slot_use = use.busy_ms / 1000 / (makespan_s * options.servers);
  const runs = records.sort((a, b) => a.device.localeCompare(b.device));
  return { runs, slot_use: Math.round(slot_use * 1000) / 1000, makespan_s: Math.round(makespan_s * 100) / 100 };
};

/** Draws the view in place on a terminal; elsewhere says each change in a line; with --json says nothing. */
const liveScreen = (view: LiveView, { json }: DemoOptions, { stdout, clock }: DemoIo) => {
  let cancel = () => {};
  let drawn = 0;
  const draw = () => {
    const lines = view.lines(clock.now());
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    stdout.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
    drawn = lines.length;
  };
  const animate = () => {
    draw();
    cancel = clock.after(FRAME_MS, animate);
  };
  const live = stdout.isTTY === true && !json;
  if (live) animate();
  return {
    note: (progress: Progress) => {
      const line = view.note(progress, clock.now());
      if (!live && !json && line !== null) stdout.write(`${line}\n`);
    },
    stop: () => {
      cancel();
      if (live) draw();
    },
  };
};
