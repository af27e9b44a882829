import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Store } from '../../../controller/store/store.ts';
import { bundleForHere } from '../../../packaging/build/build.mjs';
import { root } from '../../../packaging/root.mjs';
import { Program } from '../../helpers/program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { Endpoint } from './endpoint.ts';
import { notices } from './notices.ts';

const NOTICES = 16;

test('killed before an answer, or just after it, it sends the same notice again with the same id: none is lost', async () => {
  const cache = join(root, 'node_modules/.cache/perfleet');
  mkdirSync(cache, { recursive: true });
  const file = join(cache, 'delivering-process.js');
  bundleForHere('test/controller/alerts/delivering-process.ts', file);
  const folder = tempFolder();
  const store = Store.open(folder);
  store.atomically(() => {
    for (const one of notices(NOTICES)) store.notices.add(['noc'], one);
  });
  store.close();

  const noc = await Endpoint.open();
  let program: Program | null = null;
  onTestFinished(async () => void (await program?.end('SIGKILL')));
  const kill = () => void (program !== null && process.kill(program.pid, 'SIGKILL'));
  let all = () => {};
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  noc.answer = (_heard, response) => {
    const count = noc.heard.length;
    if (count % 4 === 2) return kill();
    response.writeHead(204).end(() => {
      if (count % 4 === 0) kill();
      if (noc.ids.at(-1) === `n-${NOTICES}`) all();
    });
  };
  let lives = 0;
  let over = false;
  void done.then(() => {
    over = true;
  });
  while (!over) {
    lives += 1;
    program = new Program([process.execPath, file, folder, noc.url], process.env);
    await Promise.race([program.ended, done]);
  }
  expect(lives).toBeGreaterThan(5);
  expect([...new Set(noc.ids)]).toEqual(notices(NOTICES).map(({ id }) => id));
  // What was not certain is sent again at once, before anything else.
  const numbers = noc.ids.map((id) => Number(id.slice(2)));
  for (const [index, number] of numbers.entries()) {
    expect([number, number - 1]).toContain(numbers[index - 1] ?? 0);
  }
  expect(numbers.length).toBeGreaterThan(NOTICES);
  expect(new Set(noc.heard.map(({ body }) => body)).size).toBe(NOTICES);
});
