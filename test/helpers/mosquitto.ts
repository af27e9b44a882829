import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/**
 * A real mosquitto on loopback that lets everybody in: an external broker that can be stopped and started on its port. It dies with this
 * process, however that ends.
 */
export class Mosquitto {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'perfleet-mosquitto-'));
  #child: ChildProcess | null = null;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<Mosquitto> {
    const mosquitto = new Mosquitto(await freePort());
    await mosquitto.start();
    return mosquitto;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const file = join(this.#folder, 'mosquitto.conf');
    writeFileSync(file, `user root\nlistener ${this.port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'mosquitto', '-c', file], { stdio: 'ignore' });
    this.#child = child;
    await until('mosquitto listens', () => {
      if (child.exitCode !== null) throw new Error('mosquitto ended at once');
      return listens(this.port);
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }

  /** Stops it for good. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
