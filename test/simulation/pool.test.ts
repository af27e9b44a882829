import { expect, it } from 'vitest';
import { judgeAll } from './pool.ts';

/** Judges with workers that run this text. */
const judgeWith = (text: string): Promise<void> =>
  judgeAll({
    program: new URL(`data:text/javascript,${encodeURIComponent(text)}`),
    from: 1,
    count: 30,
    broken: null,
    onVerdicts: () => {},
    signal: new AbortController().signal,
  });

it('fails when a worker exits before it has answered', async () => {
  await expect(judgeWith('process.exit(0)')).rejects.toThrow('a worker exited with 0');
});

it('fails when a worker throws', async () => {
  await expect(judgeWith('throw new Error("no memory")')).rejects.toThrow('no memory');
});
