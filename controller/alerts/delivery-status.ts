import type { ReceiverSettings } from '../config/settings.ts';

/** How a receiver is doing. Counters are from the start of the controller, `waiting` and `set_aside` from the store. */
export interface DeliveryStatus {
  receiver: string;
  kind: ReceiverSettings['kind'];
  waiting: number;
  /** Refused for good. */
  set_aside: number;
  /** Lost, because too many waited. */
  dropped: number;
  /** Why what waits is not there yet; null while all is well. */
  last_error: string | null;
  /** Why the latest one was set aside. */
  last_refusal: string | null;
  /** Wall clock; null before the first. */
  last_success_ms: number | null;
}
