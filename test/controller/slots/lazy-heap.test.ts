import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Entry, LazyHeap } from '../../../controller/slots/lazy-heap.ts';

it('has the same first item as a sorted list, whoever comes and leaves from where', () => {
  const operation = fc.oneof(
    fc.record({ push: fc.nat(9) }),
    fc.record({ drop: fc.nat() }),
    fc.constant({ dropFirst: true }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const heap = new LazyHeap<number>();
      let list: Entry<number>[] = [];
      operations.forEach((operation, index) => {
        if ('push' in operation) list.push(heap.push(1000 * operation.push + index, index));
        const leaves = 'drop' in operation ? list[operation.drop % Math.max(1, list.length)] : heap.peek();
        if (!('push' in operation) && leaves !== undefined) {
          heap.drop(leaves);
          list = list.filter((entry) => entry !== leaves);
        }
        list.sort((a, b) => a.key - b.key);
        expect(heap.peek()).toBe(list[0]);
        expect(heap.size).toBe(list.length);
      });
    }),
  );
});

it('keeps no more dead entries than live ones, and a few', () => {
  const heap = new LazyHeap<{ freed: boolean }>();
  const keep = heap.push(-1, { freed: false });
  for (let index = 0; index < 1000; index += 1) heap.drop(heap.push(index, { freed: false }));
  expect(heap.size).toBe(1);
  expect(heap.kept).toBeLessThanOrEqual(2 + 33);
  expect(heap.peek()).toBe(keep);
});
