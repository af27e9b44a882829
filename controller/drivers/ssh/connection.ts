import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import type { Clock } from '../../../broker/clock.ts';
import type { Handshakes } from './handshakes.ts';
import { ALL_SIGNATURES, type HostKey, hostKeyOf, type PinnedKey, readHostKey, type Signature } from './host-key.ts';
import { CONNECT_LIMIT_MS, credentials, logIn } from './log-in.ts';
import type { PrivateKeys } from './private-keys.ts';
import { SshFailure } from './ssh-failure.ts';
import { nameOf, type SshAuth, type SshTarget } from './target.ts';

/** A device that does not answer is given up after three of these. */
const KEEPALIVE_MS = 15_000;
const KEEPALIVE_COUNT = 3;

/** A connection that was ended politely is cut after this. */
const GOODBYE_MS = 1000;

export interface Reach {
  clock: Clock;
  handshakes: Handshakes;
  keys: PrivateKeys;
  /** Gives up connecting. */
  signal: AbortSignal;
}

/** We are in. */
export interface Connection {
  client: Client;
  /** Resolves when it is over, whoever ended it. */
  closed: Promise<void>;
  /** Says goodbye; it is over a second later at the latest. */
  end: () => void;
  /** Cuts it. */
  cut: () => void;
}

/** Where an SSH server is. */
type Place = Pick<SshTarget, 'host' | 'port' | 'proxy'>;

/** How the host key is judged. */
interface Verdict {
  /** How the server may prove itself. */
  signatures: readonly Signature[];
  isRight: (key: Buffer) => boolean;
  /** What is wrong with the key that was shown, for people; null while nothing is. `said` is ssh2's error. */
  problem: (said: string) => string | null;
}

/** Only the pinned key is right, and only its type is asked for. */
const pinned = (key: PinnedKey): Verdict => {
  let shown: Buffer | null = null;
  return {
    signatures: key.signatures,
    isRight: (blob) => {
      shown = blob;
      return blob.equals(key.blob);
    },
    problem: (said) => {
      // ssh2 has no field that tells it.
      if (/no matching host key format/.test(said)) return `it has no ${key.type} key any more, as was pinned`;
      if (shown === null || shown.equals(key.blob)) return null;
      return `it shows the key ${hostKeyOf(shown).fingerprint}, pinned is ${key.fingerprint}`;
    },
  };
};

/** The stream to an SSH server through the jump host, within `CONNECT_LIMIT_MS`. */
const throughJumpHost = (jump: Connection, { host, port }: Place, who: string, clock: Clock): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new SshFailure('device-unreachable', `${who}: ${why}`));
    const cancel = clock.after(CONNECT_LIMIT_MS, () => fail('the jump host did not get through to it'));
    jump.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      cancel();
      if (error === undefined) resolve(channel);
      else fail(`through the jump host: ${error.message}`);
    });
  });

/** The same address behind another jump host is another one. */
const addressOf = ({ host, proxy }: Pick<SshTarget, 'host' | 'proxy'>): string =>
  proxy === null ? host : `${addressOf(proxy)}/${host}`;

/** Sees that nothing is left of a connection that did not come about, or was given up. */
const open = async (
  place: Place,
  { who, config, auth, verdict }: { who: string; config: ConnectConfig; auth: SshAuth | null; verdict: Verdict },
  reach: Reach,
): Promise<Connection> => {
  const { clock, handshakes, signal } = reach;
  const jump = place.proxy === null ? null : await connect(place.proxy, reach, 'the jump host ');
  const client = new ssh2.Client();
  const cut = () => {
    client.destroy();
    jump?.cut();
  };
  signal.addEventListener('abort', cut, { once: true });
  let leave = () => {};
  try {
    leave = await handshakes.enter(addressOf(place), signal);
    const sock =
      jump === null
        ? connectTcp({ host: place.host, port: place.port, noDelay: true })
        : await throughJumpHost(jump, place, who, clock);
    const closed = new Promise<void>((resolve) => client.once('close', resolve)).then(() => jump?.end());
    const done = logIn(client, { who, auth, clock, keyProblem: verdict.problem });
    client.connect({
      ...config,
      sock,
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_COUNT,
      algorithms: { serverHostKey: [...verdict.signatures] },
      hostVerifier: (key: Buffer) => verdict.isRight(key),
    });
    await done;
    const end = () => {
      client.end();
      void closed.then(clock.after(GOODBYE_MS, cut));
    };
    return { client, closed, end, cut };
  } catch (error) {
    cut();
    throw error;
  } finally {
    leave();
    signal.removeEventListener('abort', cut);
  }
};

/**
 * Connects to an SSH server, through its jump host if there is one. Rejects with an SshFailure, which `hop` tells from others; nothing
 * was sent to a server whose host key is not the pinned one. Bounds: 9 s for each server until its host key is verified, 10 s to get in.
 */
export const connect = async (target: SshTarget, reach: Reach, hop = ''): Promise<Connection> => {
  const who = `${hop}${nameOf(target)}`;
  const key = readHostKey(target.host_key);
  if (key === null)
    throw new SshFailure('host-key-changed', `${who}: what is pinned is no host key: ${target.host_key}`);
  const config = credentials(target.user, target.auth, reach.keys, who);
  return open(target, { who, config, auth: target.auth, verdict: pinned(key) }, reach);
};

/** The key that an SSH server shows. Nothing but the greeting is sent to it. Rejects with an SshFailure within 9 s for each server. */
export const fetchHostKey = async (place: Place, reach: Reach): Promise<HostKey> => {
  const shown: HostKey[] = [];
  const verdict: Verdict = {
    signatures: ALL_SIGNATURES,
    isRight: (key) => {
      shown.push(hostKeyOf(key));
      return false;
    },
    problem: () => null,
  };
  const who = `${place.host}:${place.port}`;
  const refused: unknown = await open(place, { who, config: { username: '' }, auth: null, verdict }, reach).catch(
    (error: unknown) => error,
  );
  const [key] = shown;
  if (key === undefined) throw refused;
  return key;
};
