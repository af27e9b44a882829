import { z } from 'zod';

/**
 * The payloads of the contract. Unknown keys are ignored, an absent key means the same as null.
 * The agent uses only the types of this file: zod stays out of its bundle.
 */

/** Ids of devices, servers, organizations and runs, and the random ids of boots and nonces: safe in topics, tags and file names. */
export const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, "_" or "-"');

const Token = z.int().positive();
const Text = z.string().max(1000);
const orNull = <T extends z.ZodType>(schema: T) => schema.nullable().default(null as never);

/** A whole number of seconds: iperf3's `-t` and `-O` take nothing finer. */
const Seconds = z.int().min(0).max(86400);

/** One iperf3 invocation, as the controller wants it; the agent checks it again and builds the argument list itself. */
export const TestPlan = z.object({
  test: Id,
  protocol: z.enum(['tcp', 'udp']),
  direction: z.enum(['upload', 'download', 'bidir']),
  duration_s: Seconds.min(1),
  omit_s: Seconds.nullable()
    .default(0)
    .transform((value) => value ?? 0),
  streams: z
    .int()
    .min(1)
    .max(128)
    .nullable()
    .default(1)
    .transform((value) => value ?? 1),
  /** Total over all streams in bit/s, or 80% of the TCP figure measured just before. */
  bitrate: orNull(z.union([z.int().positive(), z.literal('auto')])),
  length: orNull(z.int().positive()),
  window: orNull(z.int().positive()),
  congestion: orNull(z.string().regex(/^[a-z0-9_-]{1,15}$/)),
});
export type TestPlan = z.infer<typeof TestPlan>;

/** RSA authentication of iperf3; null for a server without it. */
const ServerAuth = z.object({ username: Text, password: Text, public_key: z.string().max(8192) });

const Prepare = z.object({
  type: z.literal('prepare'),
  run: Id,
  server: z.object({ host: z.string().min(1).max(253), port: z.int().min(1).max(65535), auth: orNull(ServerAuth) }),
  tests: z.array(TestPlan).min(1).max(32),
  lease_ms: z.int().positive(),
  /** With more traffic of others on its WAN than this, in bit/s, the device declines; null: it need not look. */
  max_cross_traffic: orNull(z.int().positive()),
});
/**
 * A nonce does not say which `prepare` it answers: a run that was prepared for one server and then for another, with the second
 * `prepare` lost, would start on the first. So the start names what the lease is for, and an agent that prepared something else declines.
 */
const Start = z.object({
  type: z.literal('start'),
  run: Id,
  token: Token,
  nonce: Id,
  server: orNull(z.object({ host: z.string(), port: z.int() })),
  lease_ms: orNull(z.int().positive()),
});
const Cancel = z.object({ type: z.literal('cancel'), run: Id, reason: Text });
const Accepted = z.object({ type: z.literal('accepted'), run: Id, token: Token });

/** Controller to agent. */
export const Command = z.discriminatedUnion('type', [Prepare, Start, Cancel, Accepted]);
export type Command = z.input<typeof Command>;
export type PrepareCommand = z.infer<typeof Prepare>;
export type StartCommand = z.infer<typeof Start>;

const about = { run: Id, boot: Id };

/** Agent to controller. */
export const AgentEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), ...about, nonce: Id }),
  z.object({ type: z.literal('declined'), ...about, token: orNull(Token), nonce: orNull(Id), reason: Text }),
  z.object({ type: z.literal('started'), ...about, token: Token, nonce: Id }),
  z.object({ type: z.literal('finished'), ...about, token: Token }),
]);
export type AgentEvent = z.infer<typeof AgentEvent>;

/** The agent's retained status; its last will is the same with `online: false`. */
export const AgentStatus = z.object({
  online: z.boolean(),
  boot: Id,
  agent: orNull(Text),
  host: orNull(Text),
  iperf3: orNull(Text),
  capabilities: z
    .array(Text)
    .nullable()
    .default([])
    .transform((value) => value ?? []),
  pending: z
    .int()
    .min(0)
    .nullable()
    .default(0)
    .transform((value) => value ?? 0),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** Milliseconds since the acceptance of a start; no lease is longer than what a plan of 32 tests of a day may take. */
const SinceStart = z
  .number()
  .min(0)
  .max(32 * 90_000_000);

const Percent = z.number().min(0).max(100).nullable().catch(null);

/** How busy a device was while a test ran. What it cannot tell is null, and so is what makes no sense. */
export const SystemLoad = z.object({
  /** All CPUs together. */
  cpu_percent: Percent,
  /** The one that was busiest. */
  cpu_busiest_percent: Percent,
  /** Of that one: what the kernel did for packets. */
  softirq_percent: Percent,
  /** Load average of one minute, at the end. */
  load: z.number().min(0).nullable().catch(null),
  memory_available_bytes: z.int().min(0).nullable().catch(null),
  /** What its firewall is configured to do with forwarded packets. */
  offload: z.object({ flow: z.boolean(), hardware: z.boolean() }).nullable().catch(null),
});
export type SystemLoad = z.infer<typeof SystemLoad>;

/** One test of a result: iperf3's own output, untouched. Times count from the acceptance of the start, monotonic. */
export const TestOutput = z.object({
  test: Id,
  exit_code: orNull(z.int()),
  stdout: z.string(),
  stderr: z.string(),
  started_ms: SinceStart,
  ended_ms: SinceStart,
  /** What went over the device's WAN interface from spawn to exit, both ways; null or absent when it was not counted. */
  wan_bytes: z.int().min(0).nullish().catch(null),
  /** How busy the device was from spawn to exit; null or absent when nobody looked. */
  system: SystemLoad.nullish().catch(null),
});
export type TestOutput = z.infer<typeof TestOutput>;

export const RunResult = z.object({ run: Id, token: Token, boot: Id, tests: z.array(TestOutput).max(32) });
export type RunResult = z.infer<typeof RunResult>;

/** What can still be answered of a result that is otherwise not of the contract. */
export const ResultKey = z.object({ run: Id, token: Token });
export type ResultKey = z.infer<typeof ResultKey>;

/**
 * Who holds a server's slot; all null when nobody does. `until` is RFC 3339, for people. `length_ms` is for other controllers, whose clocks
 * need not agree with ours: what is left of the lease when this is sent, and the longest rest that may follow it.
 */
export const SlotStatus = z.object({
  device: orNull(Id),
  run: orNull(Id),
  token: orNull(Token),
  until: orNull(z.string()),
  length_ms: orNull(z.number().positive()),
  /** What the server does, for people: a word that this version need not know. */
  state: orNull(Text),
});
export type SlotStatus = z.infer<typeof SlotStatus>;

/** `in_charge`: it grants slots, or would: a controller that only claims the broker obeys it. */
export const ControllerStatus = z.object({
  online: z.boolean(),
  boot: Id,
  version: orNull(Text),
  in_charge: z.boolean().nullish(),
});
export type ControllerStatus = z.infer<typeof ControllerStatus>;

/** Which payload belongs to a topic: publishing another one does not compile. */
export type PayloadOf<Topic extends string> = Topic extends `perfleet/1/device/${string}/status`
  ? AgentStatus
  : Topic extends `perfleet/1/device/${string}/command`
    ? Command
    : Topic extends `perfleet/1/device/${string}/event`
      ? AgentEvent
      : Topic extends `perfleet/1/device/${string}/result/${string}`
        ? RunResult
        : Topic extends `perfleet/1/server/${string}/slot`
          ? SlotStatus
          : Topic extends 'perfleet/1/controller/status'
            ? ControllerStatus
            : never;
