/** FNV-1a, 32 bits: a seed from a text. */
const seedOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};

/** mulberry32: a small generator of numbers in [0, 1). */
const generator = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** A copy in an order that only `key` decides: another order each night, and the same one after a restart. */
export const shuffled = <T>(list: readonly T[], key: string): T[] => {
  const random = generator(seedOf(key));
  // Fisher and Yates, from the inside out: each item takes a place among those before it, and who was there moves to the end.
  const order: T[] = [];
  for (const item of list) {
    const place = Math.floor(random() * (order.length + 1));
    order.push(order[place] ?? item);
    order[place] = item;
  }
  return order;
};
