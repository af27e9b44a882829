import { onTestFinished } from 'vitest';
import { Deliveries } from '../../../controller/alerts/deliveries.ts';
import type { DeliveryParts } from '../../../controller/alerts/delivery.ts';
import type { AlertNotice } from '../../../controller/alerts/notice.ts';
import type { ReceiverSettings } from '../../../controller/config/settings.ts';
import { Store } from '../../../controller/store/store.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** A clock that stands still, and tells how long is waited. */
class RecordingClock extends ManualClock {
  readonly waits: number[] = [];
  override after(ms: number, callback: () => void): () => void {
    this.waits.push(ms);
    return super.after(ms, callback);
  }
}

/** Deliveries with a store on disk. With `random` 1 pauses are at their longest. */
export const setUp = (receivers: Record<string, ReceiverSettings>, changes: Partial<DeliveryParts> = {}) => {
  const folder = tempFolder();
  const store = Store.open(folder);
  const log = new RecordedLog();
  const clock = new RecordingClock();
  const parts = { store, link: null, firing: () => [], clock, random: () => 1, log, ...changes };
  const deliveries = new Deliveries(new Map(Object.entries(receivers)), parts);
  onTestFinished(async () => {
    const stopping = deliveries.stop();
    clock.advance(10_000);
    await stopping;
    store.close();
  });
  const add = (list: readonly AlertNotice[], names = Object.keys(receivers)) => {
    store.atomically(() => {
      for (const one of list) store.notices.add(names, one);
    });
    deliveries.kick();
  };
  const status = (name = 'noc') => deliveries.status().find(({ receiver }) => receiver === name);
  return { store, log, clock, parts, deliveries, add, status };
};

/** What an operator sees. */
export const messages = (log: RecordedLog) =>
  log.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
