import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Verdict } from './judge.ts';
import type { PromiseName } from './promises.ts';

/** Seeds that one worker is given at a time. */
export interface Batch {
  from: number;
  count: number;
  broken: PromiseName | null;
}

/** Small enough for a smooth bar, large enough to cost nothing. */
const BATCH = 25;

export interface PoolOptions {
  /** The program of the workers: it answers each Batch with its verdicts. */
  program: URL;
  from: number;
  count: number;
  broken: PromiseName | null;
  onVerdicts: (verdicts: Verdict[]) => void;
  /** No more batches are begun when it is aborted, and what runs is cut. */
  signal: AbortSignal;
}

/** Judges all seeds with one worker for each core. Resolves when all are judged or it was aborted; rejects when a worker fails, or exits early. */
export const judgeAll = async (options: PoolOptions): Promise<void> => {
  const { program, from, count, broken, onVerdicts, signal } = options;
  let next = from;
  const take = (): Batch | null => {
    if (next >= from + count || signal.aborted) return null;
    const batch = { from: next, count: Math.min(BATCH, from + count - next), broken };
    next += batch.count;
    return batch;
  };
  const work = async (): Promise<void> => {
    const worker = new Worker(program);
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop);
    try {
      await new Promise<void>((resolve, reject) => {
        const give = () => {
          const batch = take();
          if (batch === null) resolve();
          else worker.postMessage(batch);
        };
        worker.on('message', (verdicts: Verdict[]) => {
          onVerdicts(verdicts);
          give();
        });
        worker.once('error', reject);
        worker.once('exit', (code) => {
          if (signal.aborted) resolve();
          else reject(new Error(`a worker exited with ${code} before it had judged the seeds that it was given`));
        });
        give();
      });
    } finally {
      signal.removeEventListener('abort', stop);
      await worker.terminate();
    }
  };
  const workers = Math.min(availableParallelism(), Math.ceil(count / BATCH));
  await Promise.all(Array.from({ length: workers }, work));
};
