import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export interface Request {
  path: string;
  authorization: string | undefined;
  /** Unpacked; one line of line protocol each. */
  lines: string[];
}

/** An HTTP server that answers as the test says, where a real InfluxDB could not be made to. */
export class FarSide {
  readonly requests: Request[] = [];
  /** How the next request is answered. */
  answer: (request: Request, response: ServerResponse) => void = (_request, response) => response.writeHead(204).end();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #url = '';

  get url(): string {
    return this.#url;
  }

  /** Listening, until the end of the test. */
  static async open(): Promise<FarSide> {
    const side = new FarSide();
    const server = side.#server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    side.#url = `http://127.0.0.1:${address.port}`;
    onTestFinished(() => side.close());
    return side;
  }

  /** From now on with this status and body. */
  answerWith(status: number, body = '', headers: Record<string, string> = {}): void {
    this.answer = (_request, response) => response.writeHead(status, headers).end(body);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const packed = Buffer.concat(chunks);
    const body = message.headers['content-encoding'] === 'gzip' ? gunzipSync(packed) : packed;
    const request = {
      path: message.url ?? '',
      authorization: message.headers.authorization,
      lines: body.toString().split('\n'),
    };
    this.requests.push(request);
    this.answer(request, response);
  }
}
