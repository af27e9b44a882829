import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../../broker/clock.ts';
import { SshDriver } from '../../../../controller/drivers/ssh/ssh-driver.ts';

/** A process of its own, to be killed: prepares a run, starts it at once, and says what it hears. `argv[2]` names a file with what to do. */
const { device, target, order, server } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const driver = new SshDriver({
  targetOf: () => target,
  onMessage: (message) => {
    if (message.kind !== 'event') return;
    const { payload } = message;
    process.stdout.write(`${payload.type}\n`);
    if (payload.type !== 'ready') return;
    const { run, nonce } = payload;
    driver.start({ device, run, token: 1, nonce, server, lease_ms: order.lease_ms });
  },
  clock: systemClock,
  random: () => randomBytes(16).toString('hex'),
  log,
  boot: 'killed',
  version: '0.1.0',
});
driver.prepare(order, server);
