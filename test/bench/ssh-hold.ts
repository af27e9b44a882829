import { randomBytes } from 'node:crypto';
import { sleep, systemClock } from '../../broker/clock.ts';
import { START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import { version } from '../../broker/version.ts';
import { SshDriver } from '../../controller/drivers/ssh/ssh-driver.ts';
import { memoryOf } from './memory.ts';
import { type Held, PLAN, type ToHold } from './ssh-plan.ts';

/*
 * A process of its own, whose memory is that of the SSH driver: lets devices wait for a server, first some, then more, with a guard on each
 * that waits for its line. Ends with whoever started it.
 */

const LEASE_MS = 60_000;

/** As many as may shake hands at a time. */
const AT_A_TIME = 32;

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const say = (held: Held) => void (process.connected && process.send?.(held));

process.once('message', ({ targets, stages, server }: ToHold) => {
  const names = Object.keys(targets);
  /** When each was ready last. */
  const ready_ms = new Map<string, number>();
  let onReady = () => {};
  const driver = new SshDriver({
    targetOf: (device) => targets[device] ?? null,
    onMessage: (message) => {
      if (message.kind !== 'event') return;
      const { device, payload } = message;
      if (payload.type === 'declined') say({ problem: `${device}: ${payload.reason}` });
      if (payload.type !== 'ready') return;
      ready_ms.set(device, systemClock.now());
      onReady();
    },
    clock: systemClock,
    random: () => randomBytes(16).toString('hex'),
    log,
    boot: 'bench',
    version,
  });
  process.once('disconnect', () => void driver.stop().then(() => process.exit()));

  const fill = (stage: number): Promise<void> =>
    new Promise((resolve) => {
      let asked = ready_ms.size;
      onReady = () => {
        if (ready_ms.size === stage) return resolve();
        for (; asked < Math.min(stage, ready_ms.size + AT_A_TIME); asked += 1) {
          const device = names[asked] ?? '';
          const order = { run: `r-${device}`, tests: [PLAN], lease_ms: LEASE_MS, max_cross_traffic: null, server: 's' };
          driver.prepare({ type: 'prepare', device, ...order }, { ...server, auth: null });
        }
      };
      onReady();
    });

  const hold = async () => {
    for (const stage of stages) {
      const began = systemClock.now();
      await fill(stage);
      const took_s = (systemClock.now() - began) / 1000;
      await sleep(systemClock, 2 * START_WINDOW_MS);
      globalThis.gc?.();
      const now = systemClock.now();
      const held = [...ready_ms.values()].filter((at_ms) => now - at_ms < START_WINDOW_MS).length;
      say({ held, took_s, ...memoryOf(process.pid) });
    }
  };
  hold().catch((error: Error) => say({ problem: error.message }));
});
