import '../../agent/hosts/node/builtins.ts';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVersion } from '../../agent/iperf3/version.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { installWitness, readWitness, type WitnessLine } from '../../controller/demo/witness.ts';
import { Iperf3Server } from './iperf3-server.ts';
import { Lan } from './lan.ts';
import { SshDevice } from './ssh-device.ts';
import { type Kind, newKey } from './ssh-server.ts';

export interface FieldOptions {
  routers: number;
  servers: number;
  /** The SSH servers of the routers, in turns. */
  kinds?: readonly Kind[];
}

/** Last numbers of addresses: routers from here on, and servers. */
const FIRST_ROUTER = 11;
const FIRST_SERVER = 201;

/**
 * Routers without an agent and iperf3 servers, each at an address of its own on a LAN of network namespaces; the witness is what the routers have
 * as iperf3. After `remove()` no process, namespace or file is left; the processes die with this one.
 */
export class SshField {
  readonly folder = mkdtempSync(join(tmpdir(), 'perfleet-field-'));
  readonly lan = new Lan();
  /** `router-1` and so on. */
  readonly routers: SshDevice[];
  /** `server-1` and so on. */
  readonly servers = new Map<string, Iperf3Server>();
  /** A key that all routers know. */
  readonly login = newKey('ed25519');
  /** With the witness first on its PATH. */
  readonly env: NodeJS.ProcessEnv;
  readonly iperf3_version: string | null;
  readonly #options: FieldOptions;

  private constructor(options: FieldOptions) {
    this.#options = options;
    const iperf3 = findProgram('iperf3', process.env);
    if (iperf3 === null) throw new Error('iperf3 is missing. Install it: sudo apt-get install -y iperf3');
    this.iperf3_version = readVersion(execFileSync(iperf3, ['--version'], { encoding: 'utf8' }));
    const folder = join(this.folder, 'witness');
    mkdirSync(folder);
    this.env = installWitness(folder, iperf3, process.env);
    // A login over SSH has no environment but the shell's.
    const set = `export PATH=/usr/bin:/bin WITNESS_FOLDER=${folder} WITNESS_IPERF3=${iperf3}`;
    const { kinds = ['dropbear'] } = options;
    this.routers = Array.from({ length: options.routers }, (_, index) => {
      const kind = kinds[index % kinds.length] ?? 'dropbear';
      const number = FIRST_ROUTER + index;
      const router = new SshDevice(this.lan, { name: `router-${index + 1}`, number, kind, folders: [this.folder] });
      router.server.allow(this.login.public_key);
      router.server.install(`#!/bin/bash\n${set}\n. ${folder}/bin/iperf3\n`);
      return router;
    });
  }

  /** Resolves when everything listens. */
  static async open(options: FieldOptions): Promise<SshField> {
    const field = new SshField(options);
    try {
      await field.#start();
    } catch (error) {
      await field.remove();
      throw error;
    }
    return field;
  }

  async #start(): Promise<void> {
    await Promise.all(this.routers.map((router) => router.start()));
    for (let index = 0; index < this.#options.servers; index += 1) {
      const place = this.lan.add(`server-${index + 1}`, FIRST_SERVER + index);
      const inside = (...command: string[]) => this.lan.inside(place, ...command);
      this.servers.set(`server-${index + 1}`, await Iperf3Server.start(process.env, { host: place.address, inside }));
    }
  }

  /** What the witness has seen so far, of all routers. */
  witness(): WitnessLine[] {
    return readWitness(join(this.folder, 'witness'));
  }

  async remove(): Promise<void> {
    await Promise.all(this.routers.map((router) => router.remove()));
    await Promise.all([...this.servers.values()].map((server) => server.end('SIGKILL')));
    this.lan.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
