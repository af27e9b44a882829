import { expect, it, vi } from 'vitest';
import { sshView } from '../../../controller/desks/host-key-desk.ts';
import { SshDriver } from '../../../controller/drivers/ssh/ssh-driver.ts';
import { ControllerFixture } from '../../helpers/controller-fixture.ts';

const ORDER = { host: '127.0.0.1', port: 1, organization: 'default', credentials: null };

it('asks nobody for a host key without credentials, which say how to get there', async () => {
  const { controller } = await ControllerFixture.start();
  expect(await controller.fleet.hostKeys.fetch(ORDER)).toMatchObject({
    ok: false,
    problem: {
      error: 'bad-request',
      message: 'ssh-auth-failed: no credentials are named for it: do so, or in organizations.default.ssh',
    },
  });
});

it('hides no defect of ours behind a device that cannot be reached', async () => {
  const lab = { user: 'root', auth: { password: 'x' }, proxy: null };
  const settings = { ssh_credentials: new Map([['lab', lab]]) };
  const { controller } = await ControllerFixture.start({ settings });
  vi.spyOn(SshDriver.prototype, 'fetchHostKey').mockRejectedValueOnce(new TypeError('a defect'));
  await expect(controller.fleet.hostKeys.fetch({ ...ORDER, credentials: 'lab' })).rejects.toThrow('a defect');
});

it('shows a stored key that is none as what it is', () => {
  const ssh = { user: 'root', host: '192.0.2.1', port: 22, credentials: null, host_key: 'nonsense' };
  expect(sshView(ssh).fingerprint).toBe('none: it is no host key');
});
