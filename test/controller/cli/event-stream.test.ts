import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readEvents } from '../../../controller/cli/event-stream.ts';

const STREAM = ': hello\n\ndata: one\n\n: still here\n\nevent: x\ndata: twö\ndata: lines\n\ndata: cut off';

it('events are the same however their bytes are cut into chunks', async () => {
  const bytes = new TextEncoder().encode(STREAM);
  const cuts = fc.array(fc.nat(bytes.length)).map((places) => [...places, bytes.length].sort((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(cuts, async (ends) => {
      async function* chunks() {
        for (const [index, end] of ends.entries()) yield bytes.subarray(ends[index - 1] ?? 0, end);
      }
      const told: string[] = [];
      for await (const data of readEvents(chunks())) told.push(data);
      expect(told).toEqual(['one', 'twö\nlines']);
    }),
  );
});
