import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { ReceiverSettings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import { type Next, retryDelayMs, WorkLoop } from '../work-loop.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { AlertNotice } from './notice.ts';
import type { Outcome, Receiver } from './receivers/receiver.ts';
import { receiverOf, type Ways } from './receivers/receiver-of.ts';
import { Reminders } from './reminders.ts';

/** One attempt takes at most so long. Mail servers let strangers wait on purpose. */
const ATTEMPT_MS: Record<ReceiverSettings['kind'], number> = {
  webhook: 10_000,
  alertmanager: 10_000,
  mqtt: 10_000,
  email: 30_000,
};

/** A receiver that asks for more patience (Retry-After) gets this much. */
const MAX_PATIENCE_MS = 10 * 60_000;

/** How often what need not or cannot wait any longer is dropped. */
const TRIM_MS = 60_000;

/** `stop()` lets an attempt go on for so long, and then gives it up. */
const STOP_MS = 2000;

export interface DeliveryParts extends Ways {
  store: Pick<Store, 'notices' | 'onDisk'>;
  /** What a receiver that forgets has to be told again: the latest notice of each alert that fires and is for it, a piece at a time. */
  firing: (receiver: string) => Iterable<readonly AlertNotice[]>;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/**
 * Carries the notices that wait for one receiver to it: oldest first, one at a time.
 *
 * - Delivered: its row is deleted. Refused: it is set aside with the reason. Either way the next one follows at once.
 * - Anything else: the same again after a pause, 1 s and then twice as long up to a minute, or longer if the receiver asks for it.
 * - A receiver that forgets is told every minute, and at the start, what fires: in batches, each in turn with a notice that waits. Of one alert
 *   it gets the latest notice: it would page people for what is over.
 *
 * A notice is sent after it is on disk, and its row is deleted after it was taken: whatever is killed when, it is sent at least once,
 * and each time with the same id.
 */
export class Delivery {
  readonly #name: string;
  readonly #parts: DeliveryParts;
  readonly #loop: WorkLoop;
  #settings: ReceiverSettings;
  #receiver: Receiver;
  /** Those under way: of the loop, and tests. */
  readonly #attempts = new Set<AbortController>();
  readonly #reminders: Reminders;
  /** Whether the latest step was a reminder. */
  #reminded = false;
  #trim_at = 0;
  #failures = 0;
  #dropped = 0;
  #last_error: string | null = null;
  #last_success_ms: number | null = null;
  #last_warning = '';

  constructor(name: string, settings: ReceiverSettings, parts: DeliveryParts) {
    this.#name = name;
    this.#parts = parts;
    this.#settings = settings;
    this.#receiver = receiverOf(settings, parts);
    this.#trim_at = parts.clock.now();
    this.#reminders = new Reminders(parts.clock, () => parts.firing(this.#name));
    this.#loop = new WorkLoop(parts.clock, () => this.#step());
  }

  start(): void {
    this.#loop.start();
  }

  /** To be called after notices were committed. */
  kick(): void {
    this.#loop.kick();
  }

  /** New settings are in force from the next attempt, which does not wait for the end of a pause. */
  configure(settings: ReceiverSettings): void {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#receiver = receiverOf(settings, this.#parts);
    this.#reminders.beginAnew();
    this.#failures = 0;
    this.#loop.wake();
  }

  /** Resolves at the latest after STOP_MS and a moment; what was under way is sent again after the next start. Not to be started again. */
  async stop(): Promise<void> {
    const cancel = this.#parts.clock.after(STOP_MS, () => {
      for (const attempt of this.#attempts) attempt.abort(new Error('the controller stops'));
    });
    await this.#loop.stop(2 * STOP_MS);
    cancel();
  }

  /** Sends one notice beside the others, once, and keeps nothing of it. */
  sendNow(notice: AlertNotice): Promise<Outcome> {
    return this.#attempt((signal) => this.#receiver.send(notice, signal));
  }

  status(): DeliveryStatus {
    const { notices } = this.#parts.store;
    return {
      receiver: this.#name,
      kind: this.#settings.kind,
      ...notices.counts(this.#name),
      dropped: this.#dropped,
      last_error: this.#last_error,
      last_refusal: notices.setAsideOf(this.#name, 1)[0]?.error ?? null,
      last_success_ms: this.#last_success_ms,
    };
  }

  async #step(): Promise<Next> {
    try {
      this.#trim();
      const { remind } = this.#receiver;
      if (remind !== null) await this.#reminders.look();
      const row = this.#parts.store.notices.next(this.#name);
      const reminds = remind !== null && this.#reminders.waiting && (row === null || !this.#reminded);
      this.#reminded = reminds;
      if (reminds) return await this.#remind(remind);
      return row === null ? this.#rest() : await this.#send(row);
    } catch (error) {
      return this.#failed({ reason: String(error) });
    }
  }

  #rest(): Next {
    this.#recovered();
    return this.#receiver.remind === null ? { kind: 'idle' } : { kind: 'idle', ms: this.#reminders.rest_ms };
  }

  async #send(row: { id: number; notice: AlertNotice }): Promise<Next> {
    const { store, clock, log } = this.#parts;
    const outcome = await this.#attempt(async (signal) => {
      await new Promise<void>((resolve) => store.onDisk(resolve));
      return this.#receiver.send(row.notice, signal);
    });
    if (outcome.kind === 'retry') return this.#failed(outcome);
    if (outcome.kind === 'refused') {
      store.notices.setAside(row.id, outcome.reason);
      this.#warn({ notice: row.notice.id, error: outcome.reason }, 'a receiver refuses a notice, it was set aside');
    } else {
      store.notices.done(row.id);
      log.debug({ receiver: this.#name, notice: row.notice.id, answer: outcome.answer }, 'a notice was delivered');
      if (outcome.warning !== undefined) this.#warn({ error: outcome.warning }, 'a receiver took a notice in part');
      this.#last_success_ms = clock.wall();
    }
    // Said again after its end, an alert would be back.
    this.#reminders.forget(row.notice.alert);
    this.#recovered();
    return { kind: 'go-on' };
  }

  /** Says the next batch of what fires again. A refusal is logged, and no reason to hold up the others. */
  async #remind(remind: NonNullable<Receiver['remind']>): Promise<Next> {
    const batch = this.#reminders.batch();
    const outcome = await this.#attempt((signal) => remind(batch, signal));
    if (outcome.kind === 'retry') return this.#failed(outcome);
    if (outcome.kind === 'refused') this.#warn({ error: outcome.reason }, 'a receiver refuses what fires');
    this.#reminders.said(batch);
    return { kind: 'go-on' };
  }

  /** What `work` comes to, or a reason to try again when it takes too long or is given up. */
  async #attempt(work: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
    const attempt = new AbortController();
    this.#attempts.add(attempt);
    const { signal } = attempt;
    const limit_ms = ATTEMPT_MS[this.#settings.kind];
    const late = () => attempt.abort(new Error(`nothing within ${limit_ms / 1000} s`));
    const cancel = this.#parts.clock.after(limit_ms, late);
    const givenUp = new Promise<Outcome>((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: String(signal.reason) }));
    });
    try {
      return await Promise.race([work(signal), givenUp]);
    } finally {
      cancel();
      this.#attempts.delete(attempt);
    }
  }

  #failed({ reason, after_ms = 0 }: { reason: string; after_ms?: number }): Next {
    this.#failures += 1;
    this.#last_error = reason;
    this.#warn({ error: reason }, 'notices wait for a receiver, trying again');
    const delay_ms = retryDelayMs(this.#failures, this.#parts.random);
    return { kind: 'pause', ms: Math.max(delay_ms, Math.min(after_ms, MAX_PATIENCE_MS)) };
  }

  #recovered(): void {
    this.#failures = 0;
    if (this.#last_error === null || this.#reminders.waiting) return;
    this.#last_error = null;
    this.#last_warning = '';
    this.#parts.log.info({ receiver: this.#name }, 'notices reach a receiver again');
  }

  #trim(): void {
    const { clock, store } = this.#parts;
    if (clock.now() < this.#trim_at) return;
    this.#trim_at = clock.now() + TRIM_MS;
    if (this.#receiver.remind !== null) this.#dropSuperseded();
    const dropped = store.notices.trim(this.#name);
    this.#dropped += dropped;
    if (dropped > 0) this.#warn({ dropped }, 'too many notices wait for a receiver, the oldest were dropped');
  }

  #dropSuperseded(): void {
    const { store, log } = this.#parts;
    const superseded = store.notices.dropSuperseded(this.#name);
    if (superseded > 0)
      log.debug({ receiver: this.#name, superseded }, 'only the latest notice of each alert waits on');
  }

  /** Hours without a receiver are one line in the log. */
  #warn(fields: Record<string, string | number>, message: string): void {
    const line = JSON.stringify([message, fields['error']]);
    if (line !== this.#last_warning) this.#parts.log.warn({ receiver: this.#name, ...fields }, message);
    this.#last_warning = line;
  }
}
