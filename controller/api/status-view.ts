import { z } from 'zod';
import type { BrokerCounters } from '../../broker/admission.ts';
import { ReceiverView } from './receiver-views.ts';

/** What the built-in broker counted since the start; what each means stands with BrokerCounters. */
const BrokerView = z.object({
  connections_accepted: z.int(),
  connections_refused: z.int(),
  connections_timed_out: z.int(),
  connections_oversized: z.int(),
  publishes_refused: z.int(),
  subscriptions_refused: z.int(),
  deliveries_dropped: z.int(),
}) satisfies z.ZodType<BrokerCounters>;

/** How the controller is doing. `broker` is null with an external one, `influx` without InfluxDB. */
export const StatusView = z.object({
  version: z.string(),
  in_charge: z.boolean(),
  broker_connected: z.boolean(),
  devices: z.int(),
  devices_online: z.int(),
  runs_open: z.int(),
  suppressions: z.int(),
  messages_dropped: z.int(),
  broker: BrokerView.nullable(),
  influx: z.object({ waiting: z.int(), rejected: z.int(), last_error: z.string().nullable() }).nullable(),
  receivers: z.array(ReceiverView),
});
export type StatusView = z.infer<typeof StatusView>;
