import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import { freePort } from './free-port.ts';

/** What a query gives for one set of tags. */
export interface Series {
  tags: Record<string, string>;
  columns: string[];
  values: unknown[][];
}

/** A real InfluxDB 1.x (Debian's `influxd`) on a free port, with its data in a temporary folder. Not started yet. */
export class InfluxDb {
  readonly url: string;
  readonly #folder: string;
  readonly #daemon: Daemon;

  private constructor(folder: string, port: number, rpcPort: number, users: boolean, life_s: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    const configuration = join(folder, 'influxdb.conf');
    writeFileSync(
      configuration,
      `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${users}
  log-enabled = false
[monitor]
  store-enabled = false
`,
    );
    this.#daemon = new Daemon(['influxd', 'run', '-config', configuration], `${this.url}/ping`, life_s);
  }

  /** `users`: whether it asks for a user name and password. It ends by itself after `life_s`. */
  static async prepare({ users = false, life_s = 120 } = {}): Promise<InfluxDb> {
    const folder = mkdtempSync(join(tmpdir(), 'perfleet-influxdb-'));
    return new InfluxDb(folder, await freePort(), await freePort(), users, life_s);
  }

  start(): Promise<void> {
    return this.#daemon.start();
  }

  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#daemon.stop(signal);
  }

  /** Ends it and deletes its data. */
  async remove(): Promise<void> {
    await this.#daemon.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs InfluxQL; the rows of the first series. `login` is `user:password`. */
  async query(influxql: string, database = '', login = ''): Promise<unknown[][]> {
    return (await this.series(influxql, database, login))[0]?.values ?? [];
  }

  /** Runs InfluxQL; all series. */
  async series(influxql: string, database = '', login = ''): Promise<Series[]> {
    const response = await fetch(`${this.url}/query?${new URLSearchParams({ db: database, epoch: 'ms' })}`, {
      method: 'POST',
      body: new URLSearchParams({ q: influxql }),
      headers: login === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
    });
    const answer = (await response.json()) as {
      error?: string;
      results?: { error?: string; series?: Partial<Series>[] }[];
    };
    const error = answer.error ?? answer.results?.[0]?.error;
    if (error !== undefined) throw new Error(error);
    const series = answer.results?.[0]?.series ?? [];
    return series.map(({ tags = {}, columns = [], values = [] }) => ({ tags, columns, values }));
  }

  /** Writes a line as another program would, times in milliseconds. */
  async writeLine(line: string, database: string): Promise<void> {
    const response = await fetch(`${this.url}/write?db=${database}&precision=ms`, { method: 'POST', body: line });
    if (!response.ok) throw new Error(await response.text());
  }
}
