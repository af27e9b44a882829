import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AlertNotice } from '../../controller/alerts/notice.ts';
import type { Random } from '../simulation/random.ts';
import type { Told } from './compare-notices.ts';

/** Does what is asked for, and returns what answers. */
type Work = (request: IncomingMessage, body: Buffer) => Promise<(to: ServerResponse) => void>;

/** An HTTP server on a free port of loopback that takes its time for each request. */
class SlowServer {
  readonly #server: Server;
  readonly #random: Random;
  /** The longest that it wastes before it does something, and before it answers; milliseconds. */
  slowness_ms = 0;

  constructor(random: Random, work: Work) {
    this.#random = random;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk);
        const answer = await work(request, Buffer.concat(chunks));
        await this.waste();
        answer(response);
      } catch {
        response.destroy(); // who asked was killed
      }
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  protected async waste(): Promise<void> {
    if (this.slowness_ms > 0) await delay(this.#random.between(0, this.slowness_ms));
  }
}

/** InfluxDB behind a slow line. */
export class SlowInfluxDb extends SlowServer {
  constructor(url: string, random: Random) {
    super(random, async ({ method = 'GET', url: path = '/', headers }, body) => {
      await this.waste();
      const { host, connection, 'content-length': length, 'transfer-encoding': encoding, ...rest } = headers;
      const passed = Object.entries(rest).map(([name, value]): [string, string] => [name, `${value}`]);
      const answer = await fetch(`${url}${path}`, { method, headers: passed, ...(method === 'POST' ? { body } : {}) });
      const text = await answer.text();
      return (to) => to.writeHead(answer.status).end(text);
    });
  }
}

/** Receivers that people hook in: each has a path of its own, and keeps what it hears. */
export class SlowReceivers extends SlowServer {
  readonly told: readonly Told[];

  constructor(names: readonly string[], random: Random) {
    const heard = new Map<string, AlertNotice[]>(names.map((name) => [`/${name}`, []]));
    super(random, async ({ url = '' }, body) => {
      heard.get(url)?.push(AlertNotice.parse(JSON.parse(body.toString())));
      return (to) => to.writeHead(204).end();
    });
    this.told = names.map((receiver) => ({ receiver, notices: heard.get(`/${receiver}`) ?? [] }));
  }
}
