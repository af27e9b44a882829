import { onTestFinished } from 'vitest';
import { systemClock } from '../../../../broker/clock.ts';
import type { SshFailure } from '../../../../controller/drivers/ssh/ssh-failure.ts';
import type { SshTarget } from '../../../../controller/drivers/ssh/target.ts';
import { HastyClock } from '../../../helpers/hasty-clock.ts';
import { SshRig } from '../../../helpers/ssh-rig.ts';
import { SshServer } from '../../../helpers/ssh-server.ts';

let count = 0;

/** A device with an sshd, and the SSH driver for it, whose time can be skipped. */
export const device = async (change: (server: SshServer) => void = () => {}) => {
  const server = new SshServer();
  onTestFinished(() => server.remove());
  change(server);
  await server.start();
  const clock = new HastyClock();
  const settings: { target: SshTarget | SshFailure | null } = { target: server.target() };
  const ssh = new SshRig(`session-${process.pid}-${++count}`, () => settings.target, { clock });
  return { server, clock, settings, ssh };
};

/** Lets what was just read from sockets be handled. */
export const settled = () => new Promise((resolve) => systemClock.after(50, () => resolve(null)));
