import type { Progress } from '../runs/progress.ts';

/** What is shown of one run while it is not over. */
interface Row {
  device: string;
  progress: Progress | null;
  /** When it began to run, milliseconds; 0 before that. */
  running_since: number;
}

/** The picture of a moment: a line per server with who holds it and who is next, and a line of those that wait. */
export class LiveView {
  readonly #servers: string[];
  readonly #rows = new Map<string, Row>();

  constructor(servers: string[]) {
    this.#servers = servers;
  }

  add(run: string, device: string): void {
    this.#rows.set(run, { device, progress: null, running_since: 0 });
  }

  /** Returns a sentence for a log of what changed, or null when it is not worth one. */
  note(progress: Progress, now: number): string | null {
    const row = this.#rows.get(progress.run);
    if (row === undefined) return null;
    row.progress = progress;
    switch (progress.phase) {
      case 'waiting':
        return `${row.device} waits`;
      case 'on-deck':
        return `${row.device} is next on ${progress.server}`;
      case 'starting':
        return `${row.device} has the slot of ${progress.server}`;
      case 'running':
        row.running_since = now;
        return null;
      case 'finished':
        return `${row.device} has finished`;
      case 'final':
        return `the result of ${row.device} is stored`;
    }
  }

  /** The lines to show at `now`, in monotonic milliseconds. */
  lines(now: number): string[] {
    const rows = [...this.#rows.values()];
    const phaseOn = (server: string, ...phases: string[]) =>
      rows.find(
        ({ progress }) =>
          progress !== null && 'server' in progress && progress.server === server && phases.includes(progress.phase),
      );
    const lines = this.#servers.map((server) => {
      const holder = phaseOn(server, 'starting', 'running');
      const next = phaseOn(server, 'on-deck');
      const test = holder === undefined ? 'free' : `${holder.device.padEnd(10)} ${bar(holder, now)}`;
      return `${server.padEnd(10)} ${test.padEnd(52)} ${next === undefined ? '' : `next: ${next.device}`}`.trimEnd();
    });
    const waiting = rows.filter(({ progress }) => progress === null || progress.phase === 'waiting');
    const done = rows.filter(({ progress }) => progress?.phase === 'final' || progress?.phase === 'finished');
    return [...lines, `waiting: ${names(waiting)}`, `finished: ${names(done)}`];
  }
}

const names = (rows: Row[]): string => rows.map((row) => row.device).join(', ') || 'nobody';

const WIDTH = 20;

/** How far a run is by its plan: which test, and how much of it. */
const bar = ({ progress, running_since }: Row, now: number): string => {
  if (progress === null || progress.phase !== 'running') return 'starting';
  let left = (now - running_since) / 1000;
  for (const { test, duration_s, omit_s } of progress.tests) {
    const length = duration_s + omit_s;
    if (left < length) {
      const done = Math.round((WIDTH * left) / length);
      return `${test.padEnd(12)} ${'█'.repeat(done)}${'░'.repeat(WIDTH - done)}`;
    }
    left -= length;
  }
  return 'finishing';
};
