import type { AuthenticationType, Client, ConnectConfig, PublicKeyAuthMethod } from 'ssh2';
import type { Clock } from '../../../broker/clock.ts';
import { PREPARE_TIMEOUT_MS } from '../../../broker/contract/numbers.ts';
import type { PrivateKeys } from './private-keys.ts';
import { SshFailure } from './ssh-failure.ts';
import type { SshAuth } from './target.ts';

/** From the first packet until the host key was verified. The slots wait a second longer, and so hear why. */
export const CONNECT_LIMIT_MS = PREPARE_TIMEOUT_MS - 1000;

/** From then until we are in. */
const AUTH_LIMIT_MS = 10_000;

/** SSH_DISCONNECT_PROTOCOL_ERROR ("too many authentication failures") and _NO_MORE_AUTH_METHODS_AVAILABLE (RFC 4253 section 11.1). */
const REFUSALS: readonly unknown[] = [2, 14];

const methodOf = (auth: SshAuth): string => {
  if ('password' in auth) return 'the password';
  return 'key' in auth ? 'the key' : 'any key of the SSH agent';
};

/** What ssh2 wants to know of our credentials. Throws an SshFailure when they cannot be used. `who` is for people. */
export const credentials = (user: string, auth: SshAuth, keys: PrivateKeys, who: string): ConnectConfig => {
  if ('agent' in auth) return { username: user, agent: auth.agent, authHandler: ['agent'] };
  // `none` first: a router fresh from the factory has a blank password.
  if ('password' in auth) {
    const { password } = auth;
    const authHandler: AuthenticationType[] = ['password', 'keyboard-interactive'];
    if (password === '') authHandler.unshift('none');
    return { username: user, password, tryKeyboard: true, authHandler };
  }
  try {
    const method: PublicKeyAuthMethod = {
      type: 'publickey',
      username: user,
      key: keys.read(auth.key, auth.passphrase),
    };
    return { username: user, authHandler: [method] };
  } catch (error) {
    throw new SshFailure('ssh-auth-failed', `the private key for ${who} cannot be read: ${(error as Error).message}`);
  }
};

/** What ssh2 says of an error, besides its message. */
interface Ssh2Error extends Error {
  level?: string;
  code?: unknown;
}

/**
 * Waits until `client`, which is connecting, is in. Rejects with an SshFailure, after 9 s without a verified host key, or 10 s more
 * without an answer to our credentials. `keyProblem` tells what was wrong with the host key, if that was it.
 */
export const logIn = (
  client: Client,
  {
    who,
    auth,
    clock,
    keyProblem,
  }: { who: string; auth: SshAuth | null; clock: Clock; keyProblem: (said: string) => string | null },
): Promise<void> =>
  new Promise((resolve, reject) => {
    let verified = false;
    const fail = (failure: SshFailure) => {
      cancel();
      reject(failure);
    };
    const unreachable = (why: string) => fail(new SshFailure('device-unreachable', `${who}: ${why}`));
    const limit = (ms: number, what: string) =>
      clock.after(ms, () => unreachable(`${what} within ${Math.round(ms / 1000)} s`));
    let cancel = limit(CONNECT_LIMIT_MS, 'no SSH server answered');
    const isRefusal = ({ level, code }: Ssh2Error) =>
      level === 'client-authentication' || level === 'agent' || (verified && REFUSALS.includes(code));
    client
      .once('handshake', () => {
        verified = true;
        cancel();
        cancel = limit(AUTH_LIMIT_MS, 'no answer to our credentials');
      })
      .once('ready', () => {
        cancel();
        resolve();
      })
      .on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) => {
        const password = auth !== null && 'password' in auth ? auth.password : '';
        // Only what is not shown while it is typed asks for a password.
        answer(prompts.map(({ echo }) => (echo === true ? '' : password)));
      })
      // For as long as it lives: an error that nobody listens to would end this process. `close` follows each.
      .on('error', (error: Ssh2Error) => {
        const problem = keyProblem(error.message);
        if (problem !== null) fail(new SshFailure('host-key-changed', `${who}: ${problem}`));
        else if (auth !== null && isRefusal(error)) {
          const why = error.level === 'agent' ? `the SSH agent: ${error.message}` : `it did not take ${methodOf(auth)}`;
          fail(new SshFailure('ssh-auth-failed', `${who}: ${why}`));
        } else unreachable(error.message);
      })
      .once('close', () => unreachable('it closed the connection'));
  });
