import type { z } from 'zod';
import {
  AgentEvent,
  AgentStatus,
  Command,
  ControllerStatus,
  Id,
  ResultKey,
  RunResult,
  SlotStatus,
} from './messages.ts';
import { MAX_PAYLOAD_BYTES } from './numbers.ts';

/** A message from the broker, told apart by `kind`, parsed once and typed from here on. */
export type Inbound =
  | { kind: 'status'; device: string; payload: AgentStatus }
  | { kind: 'command'; device: string; payload: z.infer<typeof Command> }
  | { kind: 'event'; device: string; payload: AgentEvent }
  | { kind: 'result'; device: string; payload: RunResult }
  /** Not of the contract, but it says which run it is of: its agent would send it for ever if nobody answered. */
  | { kind: 'unreadable-result'; device: string; payload: ResultKey; reason: string }
  | { kind: 'slot'; server: string; payload: SlotStatus }
  | { kind: 'controller'; payload: ControllerStatus };

/** Why a message was dropped, in words for the log. */
export type Dropped = { kind: 'dropped'; reason: string };

const dropped = (reason: string): Dropped => ({ kind: 'dropped', reason });

const firstIssue = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 1)
    .map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`)
    .join();

const parseJson = (payload: Uint8Array): unknown => {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  return JSON.parse(text);
};

/**
 * Parses one message of the contract. Never throws: a message that is not of the contract comes back as `dropped` with the reason.
 * A result must be published on the topic of its own run.
 */
export const parseInbound = (topic: string, payload: Uint8Array): Inbound | Dropped => {
  if (payload.length > MAX_PAYLOAD_BYTES)
    return dropped(`payload of ${payload.length} bytes is over ${MAX_PAYLOAD_BYTES}`);
  let data: unknown;
  try {
    data = parseJson(payload);
  } catch (error) {
    return dropped(`not UTF-8 JSON: ${(error as Error).message}`);
  }
  const [product, version, who, id = '', what, run, ...rest] = topic.split('/');
  if (product !== 'perfleet' || version !== '1' || rest.length > 0) return dropped('unknown topic');

  const parsed = <T, R>(schema: z.ZodType<T>, wrap: (value: T) => R): R | Dropped => {
    const outcome = schema.safeParse(data);
    return outcome.success ? wrap(outcome.data) : dropped(firstIssue(outcome.error));
  };
  if (who === 'controller') {
    if (id !== 'status' || what !== undefined) return dropped('unknown topic');
    return parsed(ControllerStatus, (value) => ({ kind: 'controller', payload: value }));
  }
  if (!Id.safeParse(id).success) return dropped('bad id in topic');
  if (who === 'server' && what === 'slot' && run === undefined) {
    return parsed(SlotStatus, (value) => ({ kind: 'slot', server: id, payload: value }));
  }
  if (who !== 'device') return dropped('unknown topic');
  if (what === 'result' && run !== undefined) {
    const key = ResultKey.safeParse(data);
    if (key.success && key.data.run !== run) return dropped('run differs from the topic');
    const result = parsed(RunResult, (value): Inbound => ({ kind: 'result', device: id, payload: value }));
    if (result.kind !== 'dropped' || !key.success) return result;
    return { kind: 'unreadable-result', device: id, payload: key.data, reason: result.reason };
  }
  if (run !== undefined) return dropped('unknown topic');
  switch (what) {
    case 'status':
      return parsed(AgentStatus, (value) => ({ kind: 'status', device: id, payload: value }));
    case 'command':
      return parsed(Command, (value) => ({ kind: 'command', device: id, payload: value }));
    case 'event':
      return parsed(AgentEvent, (value) => ({ kind: 'event', device: id, payload: value }));
    default:
      return dropped('unknown topic');
  }
};
