import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { ReceiverSettings } from '../config/settings.ts';
import type { WaitingNotice } from '../store/notices.ts';
import type { Store } from '../store/store.ts';
import { type Next, retryDelayMs, WorkLoop } from '../work-loop.ts';
import { Attempts } from './attempts.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import { leftOver } from './left-over.ts';
import type { AlertNotice } from './notice.ts';
import { type Outcome, REMIND_BATCH, type Receiver } from './receivers/receiver.ts';
import { receiverOf, type Ways } from './receivers/receiver-of.ts';

/** A receiver that asks for more patience (Retry-After) gets this much. */
const MAX_PATIENCE_MS = 10 * 60_000;

/** Receivers that forget are told again so often what fires. */
const REMIND_MS = 60_000;

/** How often what need not or cannot wait any longer is dropped. */
const TRIM_MS = 60_000;

/** `stop()` lets an attempt go on for so long, and then gives it up. */
const STOP_MS = 2000;

export interface DeliveryParts extends Ways {
  store: Pick<Store, 'notices' | 'onDisk' | 'receivers' | 'alertStates' | 'atomically'>;
  /** What a receiver that forgets has to be told again: the latest notice of each alert that fires and is for it. */
  firing: (receiver: string) => readonly AlertNotice[];
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/**
 * Carries the notices that wait for one receiver to it: oldest first, one at a time.
 *
 * - Delivered: its row is deleted. Refused: it is set aside with the reason. Either way the next one follows at once.
 * - Delivered but for some addresses: it waits on for those that may take it later, with nobody behind it held up, and is set aside for others.
 * - Anything else: the same again after a pause, 1 s and then twice as long up to a minute, or longer if the receiver asks for it.
 * - A receiver that forgets is told every minute, and at the start, what fires: in batches, each in turn with a notice that waits. Of one alert
 *   it gets the latest notice: it would page people for what is over.
 *
 * A notice is sent after it is on disk, and its row is deleted after it was taken: whatever is killed when, it is sent at least once,
 * and each time with the same id.
 */
export class Delivery {
  #name: string;
  readonly #parts: DeliveryParts;
  readonly #loop: WorkLoop;
  #settings: ReceiverSettings;
  #receiver: Receiver;
  /** Of the loop, and tests. */
  readonly #attempts: Attempts;
  #remind_at = 0;
  /** What is still to be said again, of what fired when the latest round began. */
  #to_remind: readonly AlertNotice[] = [];
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
    this.#attempts = new Attempts(parts.clock);
    this.#remind_at = this.#trim_at = parts.clock.now();
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
    this.#remind_at = this.#parts.clock.now();
    this.#to_remind = [];
    this.#failures = 0;
    this.#loop.wake();
  }

  /** It is called so from now on, in the store too. */
  rename(name: string): void {
    this.#name = name;
  }

  /** Resolves at the latest after STOP_MS and a moment; what was under way is sent again after the next start. Not to be started again. */
  async stop(): Promise<void> {
    const cancel = this.#parts.clock.after(STOP_MS, () => this.#attempts.giveUp('the controller stops'));
    await this.#loop.stop(2 * STOP_MS);
    cancel();
  }

  /** Sends one notice beside the others, once, and keeps nothing of it. */
  sendNow(notice: AlertNotice): Promise<Outcome> {
    return this.#attempts.make(this.#settings.kind, (signal) => this.#receiver.send(notice, signal));
  }

  /**
   * What was set aside is sent again, at once, and what is for later. A receiver that forgets is told what fires instead: what was refused may be over,
   * and people would be paged for it. Returns how many notices that are.
   */
  retry(): number {
    const { store, clock } = this.#parts;
    const forgets = this.#receiver.remind !== null;
    if (forgets) this.#remind_at = clock.now();
    const count = forgets ? store.notices.dropSetAside(this.#name) : store.notices.retry(this.#name);
    this.#loop.wake();
    return count;
  }

  status(): DeliveryStatus {
    const { notices } = this.#parts.store;
    return {
      receiver: this.#name,
      kind: this.#settings.kind,
      ...notices.counts(this.#name),
      dropped: this.#dropped,
      last_error: this.#last_error ?? notices.nextLater(this.#name)?.error ?? null,
      last_refusal: notices.setAsideOf(this.#name, 1)[0]?.error ?? null,
      last_success_ms: this.#last_success_ms,
    };
  }

  async #step(): Promise<Next> {
    try {
      this.#trim();
      const { remind } = this.#receiver;
      if (remind !== null) this.#beginRound();
      const row = this.#parts.store.notices.next(this.#name, this.#parts.clock.wall());
      const reminds = remind !== null && this.#to_remind.length > 0 && (row === null || !this.#reminded);
      this.#reminded = reminds;
      if (reminds) return await this.#remind(remind);
      return row === null ? this.#rest() : await this.#send(row);
    } catch (error) {
      return this.#failed({ reason: String(error) });
    }
  }

  #rest(): Next {
    this.#recovered();
    const { clock, store } = this.#parts;
    if (this.#receiver.remind !== null) return { kind: 'idle', ms: this.#remind_at - clock.now() };
    const later = store.notices.nextLater(this.#name);
    return later === null ? { kind: 'idle' } : { kind: 'idle', ms: later.not_before_ms - clock.wall() };
  }

  async #send(row: WaitingNotice): Promise<Next> {
    const { store, clock, log } = this.#parts;
    const outcome = await this.#attempts.make(this.#settings.kind, async (signal) => {
      await new Promise<void>((resolve) => store.onDisk(resolve));
      return this.#receiver.send(row.notice, signal, row.left_to);
    });
    if (outcome.kind === 'retry') return this.#failed(outcome);
    if (outcome.kind === 'refused') {
      store.notices.setAside(row.id, outcome.reason);
      this.#warn({ notice: row.notice.id, error: outcome.reason }, 'a receiver refuses a notice, it was set aside');
    } else {
      if (outcome.kind === 'delivered') store.notices.done(row.id);
      else {
        store.notices.doneInPart(row.id, leftOver(outcome.missed, row.tries, clock.wall()));
        const error = outcome.missed.map(({ reason }) => reason).join('; ');
        this.#warn({ error }, 'a receiver took a notice in part');
      }
      log.debug({ receiver: this.#name, notice: row.notice.id, answer: outcome.answer }, 'a notice was delivered');
      this.#last_success_ms = clock.wall();
    }
    // Said again after its end, an alert would be back.
    this.#to_remind = this.#to_remind.filter(({ alert }) => alert !== row.notice.alert);
    this.#recovered();
    return { kind: 'go-on' };
  }

  /** Whether or not the receiver is there, a round that has begun is gone through to its end. */
  #beginRound(): void {
    const { clock, firing } = this.#parts;
    if (this.#to_remind.length > 0 || clock.now() < this.#remind_at) return;
    this.#to_remind = firing(this.#name);
    this.#remind_at = clock.now() + REMIND_MS;
  }

  /** Says the next batch of what fires again. A refusal is logged, and no reason to hold up the others. */
  async #remind(remind: NonNullable<Receiver['remind']>): Promise<Next> {
    const batch = this.#to_remind.slice(0, REMIND_BATCH);
    const outcome = await this.#attempts.make(this.#settings.kind, (signal) => remind(batch, signal));
    if (outcome.kind === 'retry') return this.#failed(outcome);
    if (outcome.kind === 'refused') this.#warn({ error: outcome.reason }, 'a receiver refuses what fires');
    this.#to_remind = this.#to_remind.slice(batch.length);
    return { kind: 'go-on' };
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
    if (this.#last_error === null || this.#to_remind.length > 0) return;
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
