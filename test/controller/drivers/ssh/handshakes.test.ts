import { describe, expect, it } from 'vitest';
import { Handshakes } from '../../../../controller/drivers/ssh/handshakes.ts';

const settled = () => new Promise(setImmediate);

describe('handshakes', () => {
  /** Asks for a turn; `entered` lists who has one, in order. */
  const scene = () => {
    const handshakes = new Handshakes();
    const entered: string[] = [];
    const leaves = new Map<string, () => void>();
    const ask = (name: string, address: string, signal = new AbortController().signal) =>
      handshakes.enter(address, signal).then((leave) => {
        entered.push(name);
        leaves.set(name, leave);
      });
    return { ask, entered, leave: (name: string) => leaves.get(name)?.() };
  };

  it('are four at once with one address, in order, and others need not wait for them', async () => {
    const { ask, entered, leave } = scene();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) void ask(name, 'one');
    void ask('other', 'two');
    await settled();
    expect(entered).toEqual(['a', 'b', 'c', 'd', 'other']);
    leave('b');
    await settled();
    expect(entered.at(-1)).toBe('e');
    for (const name of ['a', 'c', 'd', 'e']) leave(name);
    await settled();
    expect(entered.at(-1)).toBe('f');
  });

  it('are 32 at once in all', async () => {
    const { ask, entered, leave } = scene();
    for (let i = 0; i < 40; i += 1) void ask(`${i}`, `address ${i}`);
    await settled();
    expect(entered).toHaveLength(32);
    leave('0');
    await settled();
    expect(entered.slice(31)).toEqual(['31', '32']);
  });

  it('are not begun for those who have given up', async () => {
    const { ask, entered, leave } = scene();
    for (const name of ['a', 'b', 'c', 'd']) void ask(name, 'one');
    const waiting = new AbortController();
    const given_up = ask('e', 'one', waiting.signal);
    void ask('f', 'one');
    waiting.abort(new Error('enough'));
    await expect(given_up).rejects.toThrow('enough');
    await expect(ask('g', 'one', waiting.signal)).rejects.toThrow('enough');
    leave('a');
    await settled();
    expect(entered).toEqual(['a', 'b', 'c', 'd', 'f']);
  });
});
