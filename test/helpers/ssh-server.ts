import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SshTarget } from '../../controller/drivers/ssh/target.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

/** What a router has, of what our scripts use, and nothing else: no timeout, setsid, pkill or nohup. */
const APPLETS = ['ash', 'sh', 'cat', 'mkdir', 'ping', 'rm', 'sleep'];

/** Of the one account, whose name is `router` and whose uid is 0, as on a router. */
export const PASSWORD = 'correct horse';

export type Kind = 'dropbear' | 'sshd';
export type KeyType = 'ed25519' | 'rsa';

const keygen = (path: string, type: KeyType, passphrase = ''): void => {
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
    '-N',
    passphrase,
    '-C',
    '',
    '-f',
    path,
  ]);
};

/** A private key in OpenSSH's format, and its public half. */
export const newKey = (type: KeyType, passphrase = ''): { key: string; public_key: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-key-'));
  try {
    keygen(join(folder, 'key'), type, passphrase);
    return {
      key: readFileSync(join(folder, 'key'), 'utf8'),
      public_key: readFileSync(join(folder, 'key.pub'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export interface ServerOptions {
  kind?: Kind;
  /** Types of its host keys. */
  host_keys?: KeyType[];
  /** Runs it in there, as `ip netns exec` does, and on this address. */
  inside?: (command: string[]) => string[];
  address?: string;
  /** Further addresses, of a dropbear at most nine. */
  also?: string[];
  /** A port that is known already, as after a reboot. */
  port?: number;
}

/**
 * A real SSH server on loopback, with an account of its own: a mount namespace shows it another /etc/passwd. The login shell is BusyBox ash, and
 * its PATH is a folder with a router's applets and iperf3 (a link to the real one, or what a test puts there).
 */
export class SshServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'perfleet-ssh-server-'));
  readonly bin = join(this.folder, 'bin');
  readonly kind: Kind;
  readonly host: string;
  readonly #options: ServerOptions;
  port = 0;
  #program: Program | null = null;
  readonly #login = newKey('ed25519');

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.kind = options.kind ?? 'dropbear';
    this.host = options.address ?? '127.0.0.1';
    const home = join(this.folder, 'home');
    mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
    mkdirSync(this.bin);
    for (const name of APPLETS) symlinkSync('/bin/busybox', join(this.bin, name));
    this.install(null);
    // dropbear takes no other PATH for a login.
    const shell = join(this.folder, 'shell');
    writeFileSync(shell, `#!/bin/busybox ash\nexport PATH=${this.bin}\nexec ${this.bin}/ash "$@"\n`, { mode: 0o755 });
    const hash = execFileSync('openssl', ['passwd', '-6', PASSWORD], { encoding: 'utf8' }).trim();
    this.#write('passwd', `${readFileSync('/etc/passwd', 'utf8')}router:x:0:0::${home}:${shell}\n`);
    this.#write('shadow', `${readFileSync('/etc/shadow', 'utf8')}router:${hash}:19000:0:99999:7:::\n`);
    this.#write('shells', `/bin/sh\n${shell}\n`);
    for (const type of options.host_keys ?? ['ed25519']) this.newHostKey(type);
    this.allow(this.#login.public_key);
  }

  /** Lets this key in. */
  allow(public_key: string): void {
    const file = join(this.folder, 'home/.ssh/authorized_keys');
    appendFileSync(file, public_key);
    chmodSync(file, 0o600);
  }

  /** Puts a script there as iperf3; null: the real one. */
  install(script: string | null): void {
    const path = join(this.bin, 'iperf3');
    rmSync(path, { force: true });
    if (script === null) symlinkSync('/usr/bin/iperf3', path);
    else writeFileSync(path, script, { mode: 0o755 });
  }

  /** iperf3 is not installed. */
  uninstall(): void {
    rmSync(join(this.bin, 'iperf3'));
  }

  /** Another host key of this type, from the next start on. */
  newHostKey(type: KeyType): void {
    for (const name of [`host-${type}`, `host-${type}.pub`, `dropbear-${type}`])
      rmSync(join(this.folder, name), { force: true });
    keygen(join(this.folder, `host-${type}`), type);
    execFileSync(
      'dropbearconvert',
      ['openssh', 'dropbear', join(this.folder, `host-${type}`), join(this.folder, `dropbear-${type}`)],
      { stdio: 'ignore' },
    );
  }

  hostKey(type: KeyType = 'ed25519'): string {
    const [algorithm = '', base64 = ''] = readFileSync(join(this.folder, `host-${type}.pub`), 'utf8').split(' ');
    return `${algorithm} ${base64.trim()}`;
  }

  fingerprint(type: KeyType = 'ed25519'): string {
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(this.folder, `host-${type}.pub`)], { encoding: 'utf8' });
    return shown.split(' ')[1] ?? '';
  }

  /** How to get in, with a key that it knows. */
  target(differences: Partial<SshTarget> = {}): SshTarget {
    const { host, port } = this;
    const auth = { key: this.#login.key, passphrase: null };
    return { host, port, user: 'router', host_key: this.hostKey(), auth, proxy: null, ...differences };
  }

  /** Resolves when it listens. */
  async start(): Promise<this> {
    this.port = this.port || (this.#options.port ?? (await freePort()));
    const keys = (this.#options.host_keys ?? ['ed25519']).map((type) =>
      join(this.folder, `${this.kind === 'sshd' ? 'host' : 'dropbear'}-${type}`),
    );
    const bind = ['passwd', 'shadow', 'shells'].map((name) => `mount --bind ${this.folder}/${name} /etc/${name}`);
    const script = `set -e; ${bind.join('; ')}; exec "$@"`;
    const inside = this.#options.inside ?? ((command: string[]) => command);
    const program = new Program(
      inside(['unshare', '--mount', 'sh', '-c', script, 'sh', ...this.#command(keys)]),
      process.env,
    );
    this.#program = program;
    await until('the SSH server listens', () => {
      if (!program.running) throw new Error(`it ended: ${program.stderr}`);
      return /Not backgrounding|Server listening on/.test(program.stderr);
    });
    return this;
  }

  /** What it has logged since its start. */
  get log(): string {
    return this.#program?.stderr ?? '';
  }

  /** The pids of its processes for connections. */
  children(): number[] {
    const { pid = 0 } = this.#program ?? {};
    const file = `/proc/${pid}/task/${pid}/children`;
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : [];
  }

  /** Kills all of it at once, as a reboot does. */
  async stop(): Promise<void> {
    const children = this.children();
    const ended = this.#program?.end('SIGKILL');
    for (const pid of children) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has gone by itself
      }
    }
    await ended;
    this.#program = null;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: name === 'shadow' ? 0o600 : 0o644 });
  }

  #command(keys: string[]): string[] {
    const { host, port } = this;
    if (this.kind === 'dropbear')
      return [
        'dropbear',
        '-F',
        '-E',
        ...[host, ...(this.#options.also ?? [])].flatMap((address) => ['-p', `${address}:${port}`]),
        '-P',
        join(this.folder, 'pid'),
        ...keys.flatMap((key) => ['-r', key]),
      ];
    mkdirSync('/run/sshd', { recursive: true });
    const options = [
      'UsePAM no',
      'StrictModes no',
      'PermitRootLogin yes',
      'LogLevel VERBOSE',
      ...[host, ...(this.#options.also ?? [])].map((address) => `ListenAddress ${address}`),
      'PidFile none',
    ];
    options.push('AuthorizedKeysFile .ssh/authorized_keys', 'MaxStartups 100');
    return [
      '/usr/sbin/sshd',
      '-D',
      '-e',
      '-f',
      '/dev/null',
      '-p',
      `${port}`,
      ...[...options, ...keys.map((key) => `HostKey ${key}`)].flatMap((option) => ['-o', option]),
    ];
  }
}
