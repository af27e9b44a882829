import { expect, it } from 'vitest';
import { RoutedDriver } from '../../../controller/drivers/routed.ts';
import type { Via } from '../../../controller/drivers/routes.ts';

/** Both ways, and what went over them. */
const bench = (of: Via, in_charge = true) => {
  const sent: string[] = [];
  const way = (via: Via) => ({
    prepare: () => sent.push(`${via}: prepare`),
    start: (order: object) => sent.push(`${via}: start ${'boot' in order}`),
    cancel: () => sent.push(`${via}: cancel`),
    accepted: () => sent.push(`${via}: accepted`),
    slot: () => sent.push(`${via}: slot`),
  });
  const driver = new RoutedDriver({ agent: way('agent'), ssh: way('ssh') }, { of: () => of, in_charge });
  return { driver, sent };
};

const START = { device: 'd1', run: 'r1', token: 1, nonce: 'n', server: { host: 's', port: 1 }, lease_ms: 1 };

it('prepares over the way of the device, and starts over that of the boot that was ready, which is not sent', () => {
  const { driver, sent } = bench('ssh');
  const order = { device: 'd1', run: 'r1', server: 's', tests: [], lease_ms: 1, max_cross_traffic: null };
  driver.prepare({ type: 'prepare', ...order }, { host: 's', port: 1, auth: null });
  driver.start({ ...START, boot: 'ssh-c0' });
  driver.start({ ...START, boot: 'a1' });
  expect(sent).toEqual(['ssh: prepare', 'ssh: start false', 'agent: start false']);
});

it('asks nobody over SSH while it is not in charge', () => {
  const { driver, sent } = bench('ssh', false);
  driver.start({ ...START, boot: 'ssh-c0' });
  driver.start({ ...START, boot: 'a1' });
  expect(sent).toEqual(['agent: start false']);
});

it('cancels on both ways, and tells of slots on the broker', () => {
  const { driver, sent } = bench('agent');
  driver.cancel('d1', 'r1', 'enough');
  const nobody = { device: null, run: null, token: null, until: null, length_ms: null, state: 'idle' };
  driver.slot('s', nobody);
  driver.over('ssh').accepted('d1', 'r1', 1);
  expect(sent).toEqual(['agent: cancel', 'ssh: cancel', 'agent: slot', 'ssh: accepted']);
});
