import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { hostName } from '../config/leaf.ts';
import { SSH_PORT } from '../config/ssh-address.ts';
import { readHostKey } from '../drivers/ssh/host-key.ts';

/** A public host key, "type base64" in its one spelling; a comment after it is dropped. */
export const HostKeyText = z
  .string()
  .max(4096)
  .transform((text, context) => {
    const key = readHostKey(text);
    if (key !== null) return `${key.type} ${key.blob.toString('base64')}`;
    context.addIssue({ code: 'custom', message: 'expected a public host key: its type, and base64' });
    return z.NEVER;
  });

const Host = hostName.schema;
const Port = z.int().min(1).max(65535).default(SSH_PORT);

/** How a new device is reached over SSH. `user` null: that of the credentials; `credentials` null: those of its organization. */
export const NewSsh = z.strictObject({
  user: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/)
    .nullable()
    .default(null),
  host: Host,
  port: Port,
  credentials: Id.nullable().default(null),
  host_key: HostKeyText,
});
export type NewSsh = z.infer<typeof NewSsh>;

/** How a device is reached over SSH; `fingerprint` is that of its pinned key. */
export const SshView = z.object({
  user: z.string(),
  host: z.string(),
  port: z.int(),
  credentials: z.string().nullable(),
  host_key: z.string(),
  fingerprint: z.string(),
});
export type SshView = z.infer<typeof SshView>;

/** Which SSH server is to show its key; through the jump host of these credentials, or of those of the organization. */
export const HostKeyOrder = z.strictObject({
  host: Host,
  port: Port,
  organization: Id.default('default'),
  credentials: Id.nullable().default(null),
});
export type HostKeyOrder = z.infer<typeof HostKeyOrder>;

/** The key that it shows. */
export const HostKeyView = z.object({ host_key: z.string(), fingerprint: z.string() });
export type HostKeyView = z.infer<typeof HostKeyView>;

/** The key that a device may show from now on. */
export const Trust = z.strictObject({ host_key: HostKeyText });
export type Trust = z.infer<typeof Trust>;
