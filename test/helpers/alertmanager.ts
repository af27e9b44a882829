import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Daemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import { tempFolder } from './temp-folder.ts';

/** An alert as the v2 API shows it. */
export interface ShownAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  status: { state: string };
}

/** A real Alertmanager (Debian's), alone and on loopback, with its data in a temporary folder. Gone when the test is over. */
export class Alertmanager {
  readonly url: string;
  readonly #daemon: Daemon;

  private constructor(folder: string, port: number, hook: string | null) {
    this.url = `http://127.0.0.1:${port}`;
    const file = join(folder, 'alertmanager.yml');
    const receiver = hook === null ? '' : `\n    webhook_configs: [{ url: "${hook}" }]`;
    const route = 'route: { receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s }';
    writeFileSync(file, `${route}\nreceivers:\n  - name: all${receiver}\n`);
    const options = [`--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='];
    this.#daemon = new Daemon(
      ['prometheus-alertmanager', `--config.file=${file}`, `--storage.path=${join(folder, 'data')}`, ...options],
      `${this.url}/-/ready`,
    );
  }

  /** `hook`: a URL that it tells of alerts. */
  static async start(hook: string | null = null): Promise<Alertmanager> {
    const alertmanager = new Alertmanager(tempFolder(), await freePort(), hook);
    onTestFinished(() => alertmanager.stop('SIGKILL'));
    await alertmanager.start();
    return alertmanager;
  }

  start(): Promise<void> {
    return this.#daemon.start();
  }

  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#daemon.stop(signal);
  }

  /** The alerts that fire. */
  async alerts(): Promise<ShownAlert[]> {
    const answer = await fetch(`${this.url}/api/v2/alerts`);
    return (await answer.json()) as ShownAlert[];
  }
}
