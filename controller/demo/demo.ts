import type { Clock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { Log } from '../../broker/log.ts';
import type { Fleet } from '../fleet.ts';
import type { RunRecord } from '../run-record.ts';
import type { Progress } from '../runs/progress.ts';
import { findProgram } from './find-program.ts';
import { LiveView } from './live-view.ts';
import { Stage } from './stage.ts';
import { slotLine, table } from './summary.ts';
import { readWitness, slotUse, usedShare } from './witness.ts';

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

/** What `perfleet demo --json` prints; `slot_use` and `makespan_s` as `usedShare` has them. */
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

/** Settles as `during` does, or rejects with the signal's reason when that is aborted first. */
const unlessAborted = <T>(during: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    during.then(resolve, reject);
  });

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
  const over = new AbortController();
  const fail = (error: Error) => over.abort(error);
  const onInterrupt = () => fail(new Error('interrupted'));
  io.signal.addEventListener('abort', onInterrupt, { once: true });
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
    if (io.signal.aborted) onInterrupt();
    over.signal.throwIfAborted();
    const report = await unlessAborted(perform(stage, options, io, over.signal), over.signal);
    if (options.json) io.stdout.write(`${JSON.stringify(report)}\n`);
    else io.stdout.write(`\n${table(report.runs)}\n${slotLine(report, options.servers)}\n`);
    return report.runs.every((run) => run.outcome === 'success') ? 0 : 1;
  } catch (error) {
    over.abort(error);
    io.stderr.write(`perfleet demo: ${(error as Error).message}\n`);
    if (!io.signal.aborted) for (const line of said) io.stderr.write(`  ${line}\n`);
    return io.signal.aborted ? 130 : 1;
  } finally {
    io.signal.removeEventListener('abort', onInterrupt);
    await stage.stop();
  }
};

/** Resolves when `ready` holds, looked at every FRAME_MS; rejects after READY_MS. Does not look any more after `signal`. */
const until = ({ clock }: DemoIo, signal: AbortSignal, ready: () => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const deadline = clock.now() + READY_MS;
    const look = () => {
      if (signal.aborted) return;
      if (ready()) resolve();
      else if (clock.now() < deadline) clock.after(FRAME_MS, look);
      else reject(new Error(`the agents were not online after ${READY_MS / 1000} s`));
    };
    look();
  });

/** Orders a run for each device and resolves when all are over; `note` is told what happens. */
const measureAll = (fleet: Fleet, view: LiveView, note: (progress: Progress) => void): Promise<RunRecord[]> =>
  new Promise((resolve) => {
    const records: RunRecord[] = [];
    const devices = fleet.devices.list();
    const stop = fleet.runs.watch((progress) => {
      note(progress);
      if (progress.phase !== 'final') return;
      const record = fleet.runs.record(progress.run);
      if (record.ok) records.push(record.value);
      if (records.length < devices.length) return;
      stop();
      resolve(records.sort((a, b) => a.device.localeCompare(b.device)));
    });
    for (const { device } of devices) fleet.runs.order({ device, server: null }, (run) => view.add(run, device));
  });

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const perform = async (stage: Stage, options: DemoOptions, io: DemoIo, signal: AbortSignal): Promise<DemoReport> => {
  await stage.start();
  const { fleet } = stage.controller;
  const say = (line: string) => {
    if (!options.json) io.stdout.write(`${line}\n`);
  };
  say(
    `${options.devices} devices, ${options.servers} iperf3 servers and a controller on this machine, in ${stage.folder}`,
  );
  say('waiting for the agents, and for other controllers to object …');
  await until(io, signal, () => fleet.status().in_charge && fleet.devices.list().every((device) => device.online));

  const view = new LiveView(fleet.servers.list().map((server) => server.server));
  const screen = liveScreen(view, options, io);
  const began_ms = io.clock.wall();
  signal.addEventListener('abort', screen.stop, { once: true });
  const runs = await measureAll(fleet, view, screen.note);
  screen.stop();

  const use = slotUse(readWitness(stage.witness));
  if (use.refused > 0) throw new Error(`${use.refused} iperf3 clients met another one on their server`);
  const { makespan_s, slot_use } = usedShare(use, began_ms, options.servers);
  return { runs, slot_use: rounded(slot_use, 3), makespan_s: rounded(makespan_s, 2) };
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
