import { once } from 'node:events';
import { expect, test } from 'vitest';
import { connectionInProcess } from '../../broker/in-process.ts';

test('what is written at one end is read at the other, both ways', async () => {
  const [a, b] = connectionInProcess();
  a.write('to b');
  b.write('to a');
  expect(String((await once(b, 'data'))[0])).toBe('to b');
  expect(String((await once(a, 'data'))[0])).toBe('to a');
  a.destroy();
});

test('an end that is not read holds its writer back, and lets it go on when it is', async () => {
  const [a, b] = connectionInProcess();
  const chunk = Buffer.alloc(1024, 1);
  let written = 0;
  while (a.write(chunk)) written += chunk.length;
  expect(written).toBeLessThan(1_000_000);
  let read = 0;
  b.on('data', (data: Buffer) => {
    read += data.length;
  });
  await once(a, 'drain');
  expect(read).toBeGreaterThan(0);
  a.destroy();
});

test('an end that has ended is the end of the other, and one that is destroyed takes the other with it', async () => {
  const [a, b] = connectionInProcess();
  b.resume();
  a.end('bye');
  await once(b, 'end');
  b.destroy();
  await once(a, 'close');
  expect(a.destroyed).toBe(true);
});
