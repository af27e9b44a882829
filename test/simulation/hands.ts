import { reasonCode } from '../../controller/slots/answers.ts';
import type { Ending, LeaseRow, SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import type { FromController } from './broker.ts';
import type { Disk } from './disk.ts';
import type { LeaseLaws } from './laws/lease-laws.ts';
import type { PromiseName } from './promises.ts';
import type { Settled, Settlement } from './settlement.ts';

export interface HandsOptions {
  disk: Disk;
  settlement: Settlement;
  laws: LeaseLaws;
  wall: () => number;
  send: (message: FromController) => void;
  /** May throw: the controller's process dies here. */
  mayCrash: () => void;
  /** Does it a moment later, in order, if the process still lives. */
  later: (work: () => void) => void;
  /** What is asked of a run before its first `prepare`: a reason not to try it at all. */
  objection: (run: string) => string | null;
  probe: (server: string) => void;
  granted: (row: LeaseRow) => void;
  /** Called when leases may have gone from the disk. */
  rowsChanged: () => void;
  handle: (event: SlotEvent) => void;
  submit: (run: string) => void;
  tagsOf: (device: string) => readonly string[];
  tell: (text: () => string) => void;
  broken: PromiseName | null;
}

const isBeforeAll = ({ type }: SlotEffect): boolean =>
  ['save-lease', 'slot', 'cancel', 'start', 'probe', 'unprobed'].includes(type);

/** What a restart does again: nobody waits for the disk. */
const isRedone = ({ type }: SlotEffect): boolean =>
  ['prepare', 'granted', 'drop-lease', 'phase', 'released'].includes(type);

/** Carries out what the slots decide, as controller/runs/dispatcher.ts does: in their order, and with its transactions. */
export class Hands {
  readonly #options: HandsOptions;
  readonly #queue: (() => void)[] = [];
  #is_scheduled = false;
  #sent = 0;

  constructor(options: HandsOptions) {
    this.#options = options;
  }

  perform(effects: readonly SlotEffect[]): void {
    const { mayCrash, disk, laws } = this.#options;
    laws.decided(effects, disk.leasesInOrder());
    for (const effect of effects) {
      if (!isBeforeAll(effect)) continue;
      mayCrash();
      this.#do(effect);
    }
    const rest = effects.filter((effect) => !isBeforeAll(effect));
    if (rest.length === 0) return;
    const work = () => {
      const doAll = () => {
        for (const effect of rest) {
          mayCrash();
          this.#do(effect);
        }
      };
      if (rest.every(isRedone)) disk.journal.deferred(doAll);
      else disk.journal.atomically(doAll);
      this.#options.rowsChanged();
    };
    if (this.#queue.length === 0 && rest.length === effects.length) work();
    else this.later(work);
  }

  /** After what was put off before. */
  later(work: () => void): void {
    this.#queue.push(work);
    if (!this.#is_scheduled) this.#schedule();
  }

  #schedule(): void {
    this.#is_scheduled = true;
    this.#options.later(() => {
      this.#is_scheduled = false;
      this.#queue.shift()?.();
      if (this.#queue.length > 0 && !this.#is_scheduled) this.#schedule();
    });
  }

  /** An orderly stop writes down what is left. */
  flush(): void {
    for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) work();
  }

  /** What comes after a run was settled. */
  followUp(run: string, settled: Settled): void {
    const { disk, submit } = this.#options;
    if (settled === 'retry') disk.journal.whenWritten(() => submit(run));
  }

  #do(effect: SlotEffect): void {
    const { disk, laws, send, tell, granted, probe, objection, handle, tagsOf } = this.#options;
    if (effect.type !== 'phase') tell(() => JSON.stringify(effect));
    switch (effect.type) {
      case 'prepare': {
        const { device, server, ...order } = effect;
        const reason = objection(effect.run);
        if (reason !== null) {
          laws.skipped(effect.run);
          disk.journal.whenWritten(() => handle({ type: 'skip', run: effect.run, reason }));
          return;
        }
        send({ kind: 'command', device, payload: { ...order, server: { host: server, port: 5201, auth: null } } });
        break;
      }
      case 'start': {
        const { device, server, endpoint, boot, ...start } = this.#asSent(effect);
        disk.ensureOnDisk(effect.token);
        const row = disk.leases.get(effect.token);
        const run = disk.runs.get(effect.run);
        laws.started({ ...start, boot, endpoint, device, server }, row, {
          device,
          organization: run?.organization ?? '',
          tags: tagsOf(device),
        });
        if (row !== undefined) granted(row);
        send({ kind: 'command', device, payload: { ...start, server: { host: server, port: 5201 } } });
        break;
      }
      case 'cancel': {
        const { device, run, reason } = effect;
        send({ kind: 'command', device, payload: { type: 'cancel', run, reason } });
        break;
      }
      case 'save-lease':
        disk.saveLease(effect.lease);
        break;
      case 'granted': {
        const { token, run, server, tests } = effect.lease;
        disk.noteGrant({ token, run, server, via: 'agent', at_ms: this.#options.wall(), tests });
        break;
      }
      case 'drop-lease':
        disk.leases.delete(effect.token);
        break;
      case 'slot':
        if (this.#options.broken === 'slots-are-shown-first') this.later(() => this.showSlot(effect));
        else this.showSlot(effect);
        break;
      case 'phase':
        if (effect.phase === 'waiting' && disk.runs.get(effect.run)?.state === 'open')
          disk.change(effect.run, { awaits_result: false });
        break;
      case 'released':
        break;
      case 'ended':
        this.#ended(effect.run, effect.ending);
        break;
      case 'probe':
        probe(effect.server);
        break;
      case 'unprobed':
        break;
    }
  }

  /** The bytes of a start; other ones each time in a world in which rule L4 is broken. */
  #asSent(effect: Extract<SlotEffect, { type: 'start' }>): typeof effect {
    if (this.#options.broken !== 'start-is-repeated-byte-for-byte') return effect;
    this.#sent += 1;
    return { ...effect, nonce: `${effect.nonce}-${this.#sent}` };
  }

  showSlot({ server, lease, state }: Extract<SlotEffect, { type: 'slot' }>): void {
    if (lease !== null && this.#options.broken === 'slots-are-shown') return;
    const payload =
      lease === null
        ? { device: null, run: null, token: null, until: null, length_ms: null, state }
        : {
            device: lease.device,
            run: lease.run,
            token: lease.token,
            until: null,
            length_ms: Math.ceil(lease.length_ms + lease.rest_ms),
            state,
          };
    this.#options.send({ kind: 'slot', server, payload });
  }

  #ended(run: string, ending: Ending): void {
    const { settlement, disk, wall } = this.#options;
    const { reason } = ending;
    if (ending.how === 'refused') {
      const isNetwork = reasonCode(reason) === 'unresolved';
      const failure = { class: isNetwork ? 'unreachable' : 'local', message: reason, retryable: isNetwork } as const;
      this.followUp(run, settlement.attemptFailed(run, failure, wall()));
    } else if (ending.how === 'interrupted') {
      const failure = { class: 'link-lost', message: reason, retryable: true } as const;
      this.followUp(run, settlement.attemptFailed(run, failure, wall()));
    } else if (ending.how === 'overdue') {
      if (disk.runs.get(run)?.state === 'open') disk.change(run, { state: 'overdue', overdue_at_ms: wall() });
    } else settlement.end(run, ending.how, reason, wall());
  }
}
