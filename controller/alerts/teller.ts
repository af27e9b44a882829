import type { Store } from '../store/store.ts';
import type { Subject } from './notice.ts';
import { noticeOf } from './notice-of.ts';
import type { Change } from './step.ts';

/** Writes down what receivers are to be told, in the transaction of whoever calls. */
export class Teller {
  readonly #notices: Store['notices'];
  readonly #isReceiver: (name: string) => boolean;

  constructor(notices: Store['notices'], isReceiver: (name: string) => boolean) {
    this.#notices = notices;
    this.#isReceiver = isReceiver;
  }

  /** Receivers that are not in the configuration any more are left out. Returns how many notices there are now to be delivered. */
  tell(subject: Subject, organization: string | null, changes: readonly Change[], at_ms: number): number {
    let count = 0;
    for (const change of changes) {
      const receivers = change.alert.told.filter(this.#isReceiver);
      this.#notices.add(receivers, noticeOf(change, subject, organization, at_ms));
      count += receivers.length;
    }
    return count;
  }
}
