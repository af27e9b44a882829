import { randomBytes } from 'node:crypto';
import type { Deliveries } from '../alerts/deliveries.ts';
import type { ReceiverTest, ReceiverView } from '../api/receiver-views.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, ReceiverService } from '../api/service.ts';
import type { Settings } from '../config/settings.ts';

export interface ReceiverDeskOptions {
  settings: () => Settings;
  deliveries: Pick<Deliveries, 'status' | 'test'>;
}

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
    const { settings, deliveries } = this.#options;
    const id = `test-${randomBytes(8).toString('hex')}`;
    const outcome = await deliveries.test(receiver, id);
    if (outcome === null) {
      const known = [...settings().receivers.keys()].join(', ') || 'none';
      return refusal('not-found', `there is no receiver ${receiver} in the configuration; known receivers: ${known}`);
    }
    const delivered = outcome.kind === 'delivered';
    const answer = delivered ? [outcome.answer, outcome.warning ?? []].flat().join('; ') : outcome.reason;
    return { ok: true, value: { receiver, id, delivered, answer } };
  }
}
