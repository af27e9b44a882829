import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Heard {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A real HTTP endpoint that keeps what it was sent, and answers as a test says. Gone when the test is over. */
export class Endpoint {
  readonly heard: Heard[] = [];
  answer: (heard: Heard, response: ServerResponse) => void = (_heard, response) => response.writeHead(204).end();
  readonly #server: Server;
  #port = 0;
  readonly #scheme: string;

  private constructor(tls: { cert: string; key: string } | null) {
    const listener: RequestListener = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const heard = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
      this.heard.push(heard);
      this.answer(heard, response);
    };
    this.#server = tls === null ? createServer(listener) : createTlsServer(tls, listener);
    this.#scheme = tls === null ? 'http' : 'https';
  }

  /** Tests that run beside others say when they are over by the `onTestFinished` of their own context. */
  static async open(
    tls: { cert: string; key: string } | null = null,
    finished: (close: () => Promise<void>) => void = onTestFinished,
  ): Promise<Endpoint> {
    const endpoint = new Endpoint(tls);
    await endpoint.open();
    finished(() => endpoint.close());
    return endpoint;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}/hook?to=noc`;
  }

  /** The ids of the notices that were heard. */
  get ids(): string[] {
    return this.heard.map(({ headers }) => String(headers['x-perfleet-id']));
  }

  /** From now on with this status. */
  answerWith(status: number, body = '', headers: Record<string, string> = {}): void {
    this.answer = (_heard, response) => response.writeHead(status, headers).end(body);
  }

  /** Listens, on the same port as before. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
