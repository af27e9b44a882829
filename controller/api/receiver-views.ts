import { z } from 'zod';

/** How a receiver of alerts is doing; what each means stands with DeliveryStatus. `last_success` is RFC 3339. */
export const ReceiverView = z.object({
  receiver: z.string(),
  kind: z.enum(['webhook', 'email', 'alertmanager', 'mqtt']),
  waiting: z.int(),
  set_aside: z.int(),
  dropped: z.int(),
  last_error: z.string().nullable(),
  last_refusal: z.string().nullable(),
  last_success: z.string().nullable(),
});
export type ReceiverView = z.infer<typeof ReceiverView>;

/** What came of a test notice: whether the receiver took it, and what it said. */
export const ReceiverTest = z.object({
  receiver: z.string(),
  id: z.string(),
  delivered: z.boolean(),
  answer: z.string(),
});
export type ReceiverTest = z.infer<typeof ReceiverTest>;
