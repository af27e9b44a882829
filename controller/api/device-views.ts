import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { NewSsh, SshView } from './ssh-views.ts';

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
  ssh: SshView.nullable(),
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
  /** None: only its agent can reach it. */
  ssh: NewSsh.nullish(),
});
export type NewDevice = z.infer<typeof NewDevice>;

/** A device that may be added later: its host key need not be known yet. */
export const DeviceToCheck = NewDevice.extend({
  ssh: NewSsh.extend({ host_key: NewSsh.shape.host_key.nullable().default(null) }).nullish(),
});
export type DeviceToCheck = z.infer<typeof DeviceToCheck>;

/** So many devices are added at once, at most. */
const MAX_DEVICES = 20_000;

/** Devices that may be added later. */
export const DevicesToCheck = z.strictObject({ devices: z.array(DeviceToCheck).max(MAX_DEVICES) });

/** Devices that are added together: all, or none. */
export const NewDevices = z.strictObject({ devices: z.array(NewDevice).max(MAX_DEVICES) });

/** What keeps devices from being added; `index` is that of the device in the order. */
export const DevicesChecked = z.object({ problems: z.array(z.object({ index: z.int(), message: z.string() })) });
export type DevicesChecked = z.infer<typeof DevicesChecked>;

/** The credentials of the new devices, in the order in which they were given: shown once. */
export const DevicesAdded = z.object({
  devices: z.array(z.object({ device: z.string(), username: z.string(), password: z.string() })),
});
export type DevicesAdded = z.infer<typeof DevicesAdded>;

/**
 * The device's credentials: shown once, stored only as a hash. `install` has the line that installs the agent's package on an OpenWrt
 * router, for each of its package managers; `uci` are the lines to paste there afterwards.
 */
export const Credentials = z.object({
  device: z.string(),
  username: z.string(),
  password: z.string(),
  uci: z.array(z.string()),
  install: z.object({ opkg: z.string(), apk: z.string() }),
});
export type Credentials = z.infer<typeof Credentials>;
