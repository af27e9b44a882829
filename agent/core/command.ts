import type { PrepareCommand, StartCommand } from '../../broker/contract/messages.ts';
import { readPrepare } from './plan.ts';
import { field, isId, isLine, isObject, isToken, isWhole } from './shape.ts';

/** A command, read from what the broker delivered. `text` is the plan's JSON, to know the same `prepare` again. */
export type ReadCommand =
  | { kind: 'prepare'; command: PrepareCommand; problems: string[]; text: string }
  | { kind: 'start'; start: StartCommand }
  | { kind: 'cancel'; run: string }
  | { kind: 'accepted'; run: string; token: number }
  | { kind: 'bad'; reason: string };

/** What a `start` says that it is for; null for what it does not say. */
const readTarget = (payload: unknown): Pick<StartCommand, 'server' | 'lease_ms'> => {
  const host = field(field(payload, 'server'), 'host');
  const port = field(field(payload, 'server'), 'port');
  const lease_ms = field(payload, 'lease_ms');
  return {
    server: isLine(host, 253) && isWhole(port, 1, 65535) ? { host, port } : null,
    lease_ms: isToken(lease_ms) ? lease_ms : null,
  };
};

/**
 * Reads one command; never fails, whatever came. `bad` has no run that could be answered; a `prepare` of a known run with a bad plan
 * comes back with its problems.
 */
export const readCommand = (payload: unknown): ReadCommand => {
  if (!isObject(payload)) return { kind: 'bad', reason: 'no JSON object' };
  const run = field(payload, 'run');
  const token = field(payload, 'token');
  const nonce = field(payload, 'nonce');
  if (!isId(run)) return { kind: 'bad', reason: 'run is no id' };
  switch (field(payload, 'type')) {
    case 'prepare': {
      const prepare = readPrepare(run, payload);
      return {
        kind: 'prepare',
        command: prepare.command,
        problems: prepare.problems,
        text: sprintf('%J', prepare.command),
      };
    }
    case 'start':
      if (!isToken(token) || !isId(nonce)) return { kind: 'bad', reason: 'start without a valid token and nonce' };
      return { kind: 'start', start: { type: 'start', run, token, nonce, ...readTarget(payload) } };
    case 'cancel':
      return { kind: 'cancel', run };
    case 'accepted':
      if (!isToken(token)) return { kind: 'bad', reason: 'accepted without a valid token' };
      return { kind: 'accepted', run, token };
    default:
      return { kind: 'bad', reason: 'unknown type' };
  }
};
