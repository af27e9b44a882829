import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Clock } from '../../broker/clock.ts';

/** Answers that are under way get this long when the server stops. */
export const STOP_GRACE_MS = 1000;

const WHY: Record<string, string> = {
  EADDRINUSE: 'the port is in use. Stop the other program, or change http.listen',
  EACCES: 'not allowed. Use a port above 1023, or change http.listen',
  EADDRNOTAVAIL: 'this machine has no such address. Change http.listen',
};

/** Serves an app (createApi's) on `host` and `port`; port 0 takes a free one. */
export class ApiServer {
  readonly #server: Server;
  readonly #where: { host: string; port: number };
  readonly #clock: Clock;

  constructor(
    app: { fetch: (request: Request) => Response | Promise<Response> },
    { host, port, clock }: { host: string; port: number; clock: Clock },
  ) {
    this.#server = createServer(getRequestListener(app.fetch));
    this.#where = { host, port };
    this.#clock = clock;
  }

  /** Resolves when it listens; rejects with what to do when it can't. */
  async start(): Promise<{ port: number }> {
    const { host, port } = this.#where;
    this.#server.listen(port, host);
    try {
      await once(this.#server, 'listening');
    } catch (cause) {
      const { code = '', message } = cause as NodeJS.ErrnoException;
      throw new Error(`the HTTP API cannot listen on ${host}:${port}: ${WHY[code] ?? message}`, { cause });
    }
    return { port: (this.#server.address() as AddressInfo).port };
  }

  /** Takes no more requests and resolves when all are answered: at the latest after STOP_GRACE_MS, when what is left is cut off. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const disarm = this.#clock.after(STOP_GRACE_MS, () => this.#server.closeAllConnections());
    await closed;
    disarm();
  }
}
