import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { Store } from '../../../controller/store/store.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ROUNDS = 8;

const bundleWriter = async (): Promise<string> => {
  const folder = tempFolder();
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const outfile = join(folder, 'crash-writer.mjs');
  await build({
    entryPoints: [resolve('test/controller/store/crash-writer.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['libsql'],
  });
  return outfile;
};

/** Lets the writer work for a random while, kills it, and returns the tokens that it said were stored. */
const writeUntilKilled = async (program: string, folder: string): Promise<number[]> => {
  const child = spawn('timeout', ['30', process.execPath, program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'close');
  const enough = 1 + Math.floor(Math.random() * 60);
  const accepted: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    // The writer goes on while we get here: the signal meets it anywhere in its next transactions.
    if (accepted.push(Number(line)) === enough) process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
  }
  await ended;
  return accepted;
};

test('whatever is killed when, no result that was accepted is lost, and none is there in part', async () => {
  const program = await bundleWriter();
  const folder = tempFolder();
  const accepted: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    accepted.push(...(await writeUntilKilled(program, folder)));
    const store = Store.open(folder);
    const records = store.records.list({ limit: 100_000 });
    const stored = records.filter((record) => record.outcome === 'success');
    const ids = new Set(stored.map((record) => record.run));
    expect(accepted.filter((token) => !ids.has(`r-${token}`))).toEqual([]);
    for (const record of records) {
      const count = record.outcome === 'success' ? 1 : 0;
      expect(record.measurements).toHaveLength(count);
      expect(store.raw.of(record.run)).toHaveLength(count);
    }
    expect(store.outbox.counts().waiting).toBe(2 * stored.length);
    expect(store.leases.lastToken()).toBeGreaterThanOrEqual(Math.max(...accepted));
    store.close();
  }
});
