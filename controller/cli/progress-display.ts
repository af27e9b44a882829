import { MultiBar, type SingleBar } from 'cli-progress';
import type { ProgressView } from '../api/run-views.ts';
import type { Io } from './io.ts';
import { estimatedShares, wordsOf } from './progress-words.ts';
import { harmless } from './terminal-text.ts';

/** Shows a run while it goes on; `close` leaves the terminal as it was. */
export interface ProgressDisplay {
  show(progress: ProgressView): void;
  close(): void;
}

/** How often the bars move. */
const TICK_MS = 200;

/** A line for each step that differs from the one before. */
export const progressLines = ({ stderr }: Io): ProgressDisplay => {
  let last: string | null = null;
  return {
    show: (progress) => {
      const words = wordsOf(progress);
      if (words === null || words === last) return;
      last = words;
      stderr.write(`${progress.run}: ${harmless(words)}\n`);
    },
    close: () => {},
  };
};

type Running = Extract<ProgressView, { tests: unknown }>;

/** A bar for each test of a run that begins now; the returned function ends them, full when `complete`. */
const startBars = ({ stderr, clock }: Io, { tests }: Running): ((complete: boolean) => void) => {
  const begin = clock.now();
  const width = Math.max(...tests.map(({ test }) => test.length));
  const format = '{test} {bar} {percentage}%';
  const multi = new MultiBar({ stream: stderr, format, barsize: 30, barCompleteChar: '█', barIncompleteChar: '░' });
  const bars: SingleBar[] = tests.map(({ test }) => multi.create(100, 0, { test: test.padEnd(width) }));
  const draw = (shares: readonly number[]) => {
    for (const [index, bar] of bars.entries()) bar.update(Math.floor(100 * (shares[index] ?? 1)));
  };
  const tick = () => {
    draw(estimatedShares(tests, (clock.now() - begin) / 1000));
    disarm = clock.after(TICK_MS, tick);
  };
  let disarm = clock.after(TICK_MS, tick);
  return (complete) => {
    disarm();
    if (complete) draw([]);
    multi.stop();
  };
};

/** The lines, and a bar for each test from the moment that they run. For terminals. */
export const progressBars = (io: Io): ProgressDisplay => {
  const lines = progressLines(io);
  let stopBars: (complete: boolean) => void = () => {};
  const stop = (complete: boolean) => {
    stopBars(complete);
    stopBars = () => {};
  };
  return {
    show: (progress) => {
      stop(progress.phase === 'finished');
      lines.show(progress);
      if (progress.phase === 'running') stopBars = startBars(io, progress);
    },
    close: () => stop(false),
  };
};
