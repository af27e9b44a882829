import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Progress } from '../runs/progress.ts';
import { refuse } from './answers.ts';
import type { ProgressView } from './run-views.ts';
import type { RunService } from './service.ts';

/** A comment goes out this often while nothing happens, so that proxies and clients see that the line is alive. */
export const HEARTBEAT_MS = 15_000;

/** What a watcher is told: of the tests only what a progress bar needs, and with `final` the record. Throws when there is none. */
const viewOf = (runs: RunService, progress: Progress): ProgressView => {
  switch (progress.phase) {
    case 'starting':
    case 'running': {
      const tests = progress.tests.map(({ test, duration_s, omit_s }) => ({ test, duration_s, omit_s }));
      return { ...progress, tests };
    }
    case 'final': {
      const record = runs.record(progress.run);
      if (!record.ok) throw new Error(record.problem.message);
      return { ...progress, record: record.value };
    }
    default:
      return progress;
  }
};

/**
 * What happens to a run, live, as server-sent events: first the last word on it, then each new one, and nothing after `final`.
 * A run that is over is told at once. When the client goes away its listener is removed.
 */
export const runEvents = (c: Context, run: string, runs: RunService, clock: Clock, log: Log): Response => {
  const record = runs.record(run);
  if (!record.ok) return refuse(c, record.problem);
  const over = record.value.outcome !== null;
  const at = new Date(clock.wall()).toISOString();
  const last: Progress | null = over ? { run, phase: 'final', at } : runs.progress(run);

  return streamSSE(c, async (stream) => {
    let sent: Promise<unknown> = Promise.resolve();
    await new Promise<void>((resolve) => {
      // Called from inside the controller: nothing may be thrown back at it.
      const tell = (progress: Progress) => {
        if (progress.run !== run) return;
        try {
          const data = JSON.stringify(viewOf(runs, progress));
          sent = sent.then(() => stream.writeSSE({ data }));
          if (progress.phase === 'final') end();
        } catch (error) {
          log.error({ run, error: String(error) }, 'could not tell a watcher about a run');
          end();
        }
      };
      const beat = () => {
        sent = sent.then(() => stream.write(': still here\n\n'));
        disarm = clock.after(HEARTBEAT_MS, beat);
      };
      const end = () => {
        unwatch();
        disarm();
        resolve();
      };
      let disarm = clock.after(HEARTBEAT_MS, beat);
      const unwatch = runs.watch(tell);
      stream.onAbort(end);
      if (last !== null) tell(last);
    });
    await sent;
  });
};
