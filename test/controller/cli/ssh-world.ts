import { afterAll, beforeAll } from 'vitest';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { ControllerFixture } from '../../helpers/controller-fixture.ts';
import { newKey, SshServer } from '../../helpers/ssh-server.ts';
import { CapturedIo } from './captured-io.ts';

/** On loopback: so many devices may be registered that are this one server. */
const ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}`);

/** A real SSH server, as a device and as a jump host, for the tests of one file. dropbear refuses more than 5 at a time that have not logged in. */
export const sshServer = (kind: 'dropbear' | 'sshd' = 'dropbear') => {
  let server: SshServer | null = null;
  beforeAll(async () => {
    server = await new SshServer({ kind, host_keys: ['ed25519', 'rsa'], also: ADDRESSES.slice(1) }).start();
  });
  afterAll(() => server?.remove());
  return () => {
    if (server === null) throw new Error('the SSH server has not begun yet');
    return server;
  };
};

/** A real controller with credentials for the server, and commands that ask it. */
export const sshWorld = async (server: SshServer) => {
  const { auth, ...target } = server.target();
  const proxy = { ...target, auth };
  const stranger = { ...proxy, host_key: newKey('ed25519').public_key.trim() };
  const world = await ControllerFixture.start({
    settings: {
      ssh_credentials: new Map([
        ['lab', { user: 'router', auth, proxy: null }],
        ['behind', { user: null, auth, proxy }],
        ['astray', { user: null, auth, proxy: stranger }],
      ]),
    },
  });
  /** Runs one command; `answer` is what somebody types on the terminal, null for no terminal. */
  const cli = async (argv: string[], answer: string | null = null) => {
    const env = { PERFLEET_URL: `http://127.0.0.1:${world.http_port}`, PERFLEET_TOKEN: 'http-token', NO_COLOR: '1' };
    const io = new CapturedIo({ env, isTTY: answer !== null, stdin: answer ?? '' });
    const code = await runCli(argv, io);
    return { code, out: io.stdout.text, err: io.stderr.text };
  };
  const places = ADDRESSES.map((address) => `router@${address}:${server.port}`);
  return { world, cli, at: `router@127.0.0.1:${server.port}`, places };
};
