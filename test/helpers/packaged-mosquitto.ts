import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../packaging/root.mjs';
import { makeCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

const packaged = (name: string) => readFileSync(join(root, 'packaging/mosquitto', name), 'utf8');

/** mosquitto with the packaged configuration and access rules in a folder that is there; only port, paths and user are others. */
export class PackagedMosquitto {
  readonly url: string;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #program: Program | null = null;

  private constructor(folder: string, port: number, env: NodeJS.ProcessEnv) {
    this.url = `mqtts://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#env = env;
    const { cert, key } = makeCertificate();
    const files = { 'ca.crt': cert, 'broker.crt': cert, 'broker.key': key, 'perfleet.acl': packaged('perfleet.acl') };
    for (const [name, text] of Object.entries({ ...files, 'perfleet.passwd': '' })) this.#write(name, text);
    const conf = packaged('perfleet.conf')
      .replace('listener 8883', `user root\nlistener ${port} 127.0.0.1`)
      .replaceAll(/\/etc\/mosquitto\/(certs\/)?|\/var\/lib\/mosquitto/g, `${folder}/`);
    this.#write('mosquitto.conf', conf);
  }

  /** Not started yet. */
  static async prepare(folder: string, env: NodeJS.ProcessEnv): Promise<PackagedMosquitto> {
    return new PackagedMosquitto(folder, await freePort(), env);
  }

  /** The file with the certificate of the authority. */
  get ca(): string {
    return join(this.#folder, 'ca.crt');
  }

  async start(): Promise<void> {
    this.#program = new Program(['mosquitto', '-c', join(this.#folder, 'mosquitto.conf')], this.#env);
    await this.#program.says(/mosquitto version \S+ running/);
  }

  async stop(): Promise<void> {
    await this.#program?.end('SIGTERM');
    this.#program = null;
  }

  /** Adds a user as the README says; a broker that runs is told to read its files again. */
  async addUser(name: string, password: string): Promise<void> {
    execFileSync('mosquitto_passwd', ['-b', join(this.#folder, 'perfleet.passwd'), name, password], { stdio: 'pipe' });
    const program = this.#program;
    if (program === null) return;
    const reloads = () => program.stderr.split('Reloading config').length;
    const before = reloads();
    process.kill(program.pid, 'SIGHUP');
    await until('mosquitto has read its users', () => reloads() > before);
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
  }
}
