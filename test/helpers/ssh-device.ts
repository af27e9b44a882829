import { readFileSync } from 'node:fs';
import type { Lan, Place } from './lan.ts';
import { type FoundProcess, processesBeside } from './processes.ts';
import { type Kind, SshServer } from './ssh-server.ts';

/** Where a folder of /tmp is while the RAM disk is not in its place yet. */
const staged = (folder: string): string => folder.replace(/^\/tmp/, '/mnt');

/**
 * The first process on a device. A boot begins without other processes, with an uptime of zero and with an empty RAM disk at /tmp, in which only
 * some folders of this machine are shown. The SSH server is started again when it ends, as procd does.
 */
const init = (folders: readonly string[]): string => `set -e
mount -t tmpfs -o mode=1777 tmpfs /mnt
${folders.map((folder) => `mkdir -p ${staged(folder)}; mount --bind ${folder} ${staged(folder)}`).join('\n')}
mount --move /mnt /tmp
set +e
while :; do "$@"; sleep 0.2; done`;

const UPTIME = /^\d+/;

export interface SshDeviceOptions {
  name: string;
  /** Last number of its address. */
  number: number;
  kind?: Kind;
  /** Folders in /tmp that it sees, too. */
  folders?: string[];
}

/**
 * A router without an agent: a real SSH server at a place of its own on a LAN, with processes, /tmp and uptime of its own, and a login shell that
 * finds only a router's applets and iperf3. It dies with this process.
 */
export class SshDevice {
  readonly name: string;
  readonly server: SshServer;
  readonly #lan: Lan;
  readonly #number: number;
  #place: Place;

  constructor(lan: Lan, { name, number, kind = 'dropbear', folders = [] }: SshDeviceOptions) {
    this.name = name;
    this.#lan = lan;
    this.#number = number;
    this.#place = lan.add(name, number);
    this.server = new SshServer({
      kind,
      address: this.#place.address,
      port: 22,
      inside: (command) => {
        const uptime_s = UPTIME.exec(readFileSync('/proc/uptime', 'utf8'))?.[0] ?? '0';
        const box = [
          'unshare',
          '--pid',
          '--fork',
          '--kill-child',
          '--mount-proc',
          '--time',
          '--boottime',
          `-${uptime_s}`,
        ];
        const shown = [this.server.folder, ...folders];
        return lan.inside(this.#place, ...box, 'sh', '-c', init(shown), 'init', ...command);
      },
    });
  }

  get namespace(): string {
    return this.#place.namespace;
  }

  get address(): string {
    return this.#place.address;
  }

  /** Resolves when it listens. */
  async start(): Promise<this> {
    await this.server.start();
    return this;
  }

  /** Pulls its plug, or puts it in again. */
  setLink(state: 'up' | 'down'): void {
    this.#lan.setLink(this.#place, state);
  }

  /** Everything in it is gone at once, its address, too; `powerOn` boots it. */
  async powerOff(): Promise<void> {
    await this.server.stop();
    this.#lan.delete(this.#place);
  }

  async powerOn(): Promise<void> {
    this.#place = this.#lan.add(this.name, this.#number);
    await this.server.start();
  }

  /** How many TCP segments it has sent since its boot, and how many of them again. */
  segments(): { sent: number; again: number } {
    const [init = 0] = this.server.children();
    const [names = [], values = []] = readFileSync(`/proc/${init}/net/snmp`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('Tcp:'))
      .map((line) => line.split(' '));
    const of = (name: string) => Number(values[names.indexOf(name)]);
    return { sent: of('OutSegs'), again: of('RetransSegs') };
  }

  /** What runs on it, with pids as this process sees them. */
  processes(): FoundProcess[] {
    const [init] = this.server.children();
    return init === undefined ? [] : processesBeside(init);
  }

  /** Kills its SSH server with all that serves connections; the server is started again. */
  killServer(): void {
    for (const { pid, name } of this.processes()) {
      if (/^(dropbear|sshd)/.test(name)) process.kill(pid, 'SIGKILL');
    }
  }

  async remove(): Promise<void> {
    await this.server.remove();
  }
}
