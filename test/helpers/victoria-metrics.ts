import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import { freePort } from './free-port.ts';

/** A real VictoriaMetrics on a free port, with its data in a temporary folder. Not started yet. */
export class VictoriaMetrics {
  readonly url: string;
  readonly #folder: string;
  readonly #daemon: Daemon;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.#daemon = new Daemon(
      ['victoria-metrics', `-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${folder}`, '-retentionPeriod=100y'],
      `${this.url}/health`,
    );
  }

  static async prepare(): Promise<VictoriaMetrics> {
    return new VictoriaMetrics(mkdtempSync(join(tmpdir(), 'perfleet-victoria-')), await freePort());
  }

  start(): Promise<void> {
    return this.#daemon.start();
  }

  stop(): Promise<void> {
    return this.#daemon.stop('SIGTERM');
  }

  /** Ends it and deletes its data. */
  async remove(): Promise<void> {
    await this.#daemon.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** All samples of the metrics whose name matches, such as `iperf3_.*`. Makes what was just written visible first. */
  async samples(name: string): Promise<{ metric: Record<string, string>; values: number[]; timestamps: number[] }[]> {
    await (await fetch(`${this.url}/internal/force_flush`)).text();
    const selector = new URLSearchParams({ 'match[]': `{__name__=~"${name}"}` });
    const lines = (await (await fetch(`${this.url}/api/v1/export?${selector}`)).text()).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }
}
