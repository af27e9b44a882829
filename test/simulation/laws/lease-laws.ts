import { QUARANTINE_S } from '../../../broker/contract/numbers.ts';
import type { SuppressionScope } from '../../../controller/schedule/suppression.ts';
import { suppressesDevice, suppressesServer } from '../../../controller/schedule/suppression.ts';
import type { LeaseRow, RunRequest, SlotEffect } from '../../../controller/slots/events.ts';
import { longestTestMs } from '../../../controller/slots/plan-length.ts';
import type { Break } from './broken-law.ts';

type Start = Extract<SlotEffect, { type: 'start' }>;

/** Clocks may differ by a thousandth each. */
const CLOCKS_AGREE = 0.997;

/** Laws about what one controller does with its leases. Its successors after a crash are held to the same. */
export class LeaseLaws {
  readonly #now: () => number;
  readonly #break: Break;
  /** Until when a server rests by the controller's own word. */
  readonly #resting = new Map<string, number>();
  readonly #startOf = new Map<number, string>();
  readonly #topTokenOf = new Map<string, number>();
  /** Tokens that were on disk at a restart: they are asked whatever is forbidden meanwhile. */
  readonly #recovered = new Set<number>();
  readonly #skipped = new Set<string>();
  #suppressions: readonly SuppressionScope[] = [];

  constructor(now: () => number, broken: Break) {
    this.#now = now;
    this.#break = broken;
  }

  /** A restart asks every lease again: the answer may end a rest early. */
  controllerStarts(rows: readonly LeaseRow[]): void {
    this.#resting.clear();
    this.#suppressions = [];
    for (const { token } of rows) this.#recovered.add(token);
  }

  suppressed(active: readonly SuppressionScope[]): void {
    this.#suppressions = active;
  }

  /** The run must not be started from now on. */
  skipped(run: string): void {
    this.#skipped.add(run);
  }

  /** What was decided, before any of it is done. */
  decided(effects: readonly SlotEffect[], rows: readonly LeaseRow[]): void {
    for (const effect of effects) {
      if (effect.type !== 'ended' || (effect.ending.how !== 'overdue' && effect.ending.how !== 'interrupted')) continue;
      const row = rows.filter(({ run }) => run === effect.run).at(-1);
      if (row === undefined)
        this.#break('the lease is on disk before its start', `${effect.run} ended ${effect.ending.how} without`);
      const rest_ms = CLOCKS_AGREE * (longestTestMs(row.tests) + 1000 * QUARANTINE_S);
      this.#resting.set(row.server, this.#now() + rest_ms);
    }
  }

  probed(server: string, verdict: 'free' | 'busy' | 'silent'): void {
    if (verdict === 'free') this.#resting.delete(server);
  }

  /** A start is sent, the first time or again. `request` is what the run was asked for; null when nobody knows it any more. */
  started(
    effect: Start,
    row: LeaseRow | undefined,
    request: Pick<RunRequest, 'device' | 'organization' | 'tags'>,
  ): void {
    const { token, server, run } = effect;
    if (row === undefined || row.server !== server)
      this.#break('the lease is on disk before its start', `token ${token} on ${server}`);
    const text = JSON.stringify(effect);
    const before = this.#startOf.get(token);
    if (before === text) return;
    if (before !== undefined) this.#break('one start a token', `${before}, and ${text}`);
    this.#startOf.set(token, text);
    if (token <= (this.#topTokenOf.get(server) ?? 0)) this.#break('tokens grow', `${token} is not new on ${server}`);
    this.#topTokenOf.set(server, token);
    if ((this.#resting.get(server) ?? 0) > this.#now())
      this.#break('a resting server rests', `${server}, token ${token}`);
    if (this.#skipped.has(run)) this.#break('a skipped run is not started', run);
    if (this.#recovered.has(token)) return;
    if (suppressesServer(this.#suppressions, server) || suppressesDevice(this.#suppressions, request))
      this.#break('a suppressed server or device gets no start', `${run} on ${server}`);
  }
}
