import { randomBytes } from 'node:crypto';
import type { Deliveries } from '../alerts/deliveries.ts';
import type { Outcome } from '../alerts/receivers/receiver.ts';
import type { Requeued } from '../api/influx-views.ts';
import type { Problem } from '../api/problem.ts';
import type { ReceiverTest, ReceiverView } from '../api/receiver-views.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, ReceiverService } from '../api/service.ts';
import type { Settings } from '../config/settings.ts';

export interface ReceiverDeskOptions {
  settings: () => Settings;
  deliveries: Pick<Deliveries, 'status' | 'test' | 'retry'>;
}

const said = (outcome: Outcome): { delivered: boolean; answer: string } => {
  switch (outcome.kind) {
    case 'delivered':
      return { delivered: true, answer: outcome.answer };
    case 'in-part':
      return { delivered: true, answer: [outcome.answer, ...outcome.missed.map(({ reason }) => reason)].join('; ') };
    default:
      return { delivered: false, answer: outcome.reason };
  }
};

/** Receivers of alerts as the HTTP API offers them. */
export class ReceiverDesk implements ReceiverService {
  readonly #options: ReceiverDeskOptions;

  constructor(options: ReceiverDeskOptions) {
    this.#options = options;
  }

  list(): ReceiverView[] {
    return this.#options.deliveries.status().map(({ last_success_ms, ...status }) => ({
      ...status,
      last_success: last_success_ms === null ? null : new Date(last_success_ms).toISOString(),
    }));
  }

  async test(receiver: string): Promise<Answer<ReceiverTest>> {
    const { deliveries } = this.#options;
    const id = `test-${randomBytes(8).toString('hex')}`;
    const outcome = await deliveries.test(receiver, id);
    return outcome === null ? this.#unknown(receiver) : { ok: true, value: { receiver, id, ...said(outcome) } };
  }

  retry(receiver: string | null): Answer<Requeued> {
    const requeued = this.#options.deliveries.retry(receiver);
    return requeued === null ? this.#unknown(receiver) : { ok: true, value: { requeued } };
  }

  #unknown(receiver: string | null): { ok: false; problem: Problem } {
    const known = [...this.#options.settings().receivers.keys()].join(', ') || 'none';
    return refusal('not-found', `there is no receiver ${receiver} in the configuration; known receivers: ${known}`);
  }
}
