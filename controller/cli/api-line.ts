import type { z } from 'zod';
import type { Clock } from '../../broker/clock.ts';
import { Problem } from '../api/problem.ts';
import { CommandFailure, messageOf } from './failure.ts';
import type { ControllerAddress } from './find-controller.ts';

/** The controller answers from memory and one SQLite file: what takes longer than this is broken. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** Nobody answers, or the line broke: trying again may help. */
export class Unreachable extends CommandFailure {}

/** Asks a controller over HTTP, and reads its answers. Every method throws CommandFailure with what is wrong. */
export class ApiLine {
  readonly #address: ControllerAddress;
  readonly #clock: Clock;

  constructor(address: ControllerAddress, clock: Clock) {
    this.#address = { ...address, url: address.url.replace(/\/+$/, '') };
    this.#clock = clock;
  }

  /** The answer to a request, read by `schema`. */
  async json<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
    within_ms = ANSWER_TIMEOUT_MS,
  ): Promise<T> {
    const answer = await this.ask(method, path, body, within_ms);
    if (!answer.ok) return this.refused(answer);
    return this.parsed(schema, await this.bodyOf(answer));
  }

  /** The bare answer, also one that refuses. */
  async ask(method: string, path: string, body?: unknown, within_ms = ANSWER_TIMEOUT_MS): Promise<Response> {
    const late = new AbortController();
    const disarm = this.#clock.after(within_ms, () => late.abort(new Error('it took too long')));
    try {
      return await fetch(`${this.#address.url}/api/1/${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#address.token}` },
        signal: late.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw this.unreachable(cause);
    } finally {
      disarm();
    }
  }

  /** Throws what an answer that refuses says. */
  async refused(answer: Response): Promise<never> {
    if (answer.status === 401) {
      const source =
        'It comes from http.token_file of --config, or from PERFLEET_TOKEN; another controller may be on this address';
      throw new CommandFailure(`the controller at ${this.#address.url} refuses our token. ${source}`);
    }
    const { message, problems } = this.parsed(Problem, await this.bodyOf(answer));
    throw new CommandFailure([message, ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }

  async bodyOf(answer: Response): Promise<unknown> {
    return answer.json().catch(() => null);
  }

  parsed<T>(schema: z.ZodType<T>, data: unknown): T {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const found = 'something answers that is no controller of this version';
    throw new CommandFailure(`${found} at ${this.#address.url}: check PERFLEET_URL or http.listen`);
  }

  /** Why nobody answers. */
  unreachable(cause: unknown): Unreachable {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    return new Unreachable(
      `no controller answers at ${this.#address.url}: is \`perfleet serve\` running? (${reason})`,
      { cause },
    );
  }
}
