import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';

/** A device as lists show it. `last_run` is RFC 3339. */
export const DeviceView = z.object({
  device: z.string(),
  organization: z.string(),
  tags: z.array(z.string()),
  uplink_group: z.string().nullable(),
  via: z.enum(['agent', 'ssh']),
  online: z.boolean(),
  agent: z.string().nullable(),
  iperf3: z.string().nullable(),
  last_run: z.string().nullable(),
});
export type DeviceView = z.infer<typeof DeviceView>;

/** One device. `moved_this_month`: bytes that its runs have moved, estimates for those whose result has not come. `monthly_budget`: null for none. */
export const DeviceDetails = DeviceView.extend({
  moved_this_month: z.number(),
  monthly_budget: z.number().nullable(),
});
export type DeviceDetails = z.infer<typeof DeviceDetails>;

/** What `device add` needs; the id of the organization must be in the configuration. */
export const NewDevice = z.strictObject({
  device: Id,
  organization: Id.default('default'),
  tags: z.array(Id).default([]),
  uplink_group: Id.nullable().default(null),
});
export type NewDevice = z.infer<typeof NewDevice>;

/** The device's credentials: shown once, stored only as a hash. `uci` are the lines to paste on an OpenWrt router. */
export const Credentials = z.object({
  device: z.string(),
  username: z.string(),
  password: z.string(),
  uci: z.array(z.string()),
});
export type Credentials = z.infer<typeof Credentials>;
