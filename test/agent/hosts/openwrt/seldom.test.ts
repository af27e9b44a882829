import './ucode.ts';
import { expect, it } from 'vitest';
import { createSeldom } from '../../../../agent/hosts/openwrt/seldom.ts';

/** Decides what time it is, in seconds. */
const at = (seconds: number): void => {
  Object.assign(globalThis, { clock: () => [seconds, 0] });
};

it('the same words are said once a minute', () => {
  const said: string[] = [];
  const say = createSeldom((text) => said.push(text));
  at(100);
  for (const text of ['a', 'b', 'a']) say(text);
  at(159);
  say('a');
  at(160);
  for (const text of ['a', 'a']) say(text);
  expect(said).toEqual(['a', 'b', 'a']);
});

it('many different words are not said all', () => {
  const said: string[] = [];
  const say = createSeldom((text) => said.push(text));
  at(100);
  for (let i = 0; i < 1000; i += 1) say(`${i}`);
  expect(said).toHaveLength(16);
});
