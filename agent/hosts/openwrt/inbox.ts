import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';
import { each } from '../../core/each.ts';

/** What mosquitto_sub prints, as messages. A longer line is dropped: the contract's largest payload, quoted, is shorter. */
const LONGEST_LINE = 2097152;

export interface Listener {
  /** `retained`: this was there before the subscription. */
  onMessage: (topic: string, payload: unknown, retained: boolean) => void;
  onProblem: (text: string) => void;
}

const readJson = (text: string): unknown => {
  try {
    return json(text);
  } catch (_) {
    return null;
  }
};

interface Said {
  topic: string;
  payload: string;
  payloadlen: number;
  retain: number;
}

const onLine = (line: string, listener: Listener) => {
  if (length(line) === 0) return;
  if (index(line, '{') !== 0) return listener.onProblem(line);
  const said = readJson(line) as Said | null;
  if (said == null || type(said.topic) !== 'string' || type(said.payload) !== 'string')
    return listener.onProblem('message dropped: not UTF-8');
  if (said.payloadlen > MAX_PAYLOAD_BYTES)
    return listener.onProblem(`message on ${said.topic} dropped: it is too long`);
  if (length(said.payload) !== said.payloadlen)
    return listener.onProblem(`message on ${said.topic} dropped: it has a NUL byte`);
  const payload = readJson(said.payload);
  if (payload == null) return listener.onProblem(`message on ${said.topic} dropped: not UTF-8 JSON`);
  listener.onMessage(said.topic, payload, said.retain === 1);
};

/** Takes the pieces as they come, and tells the messages in order. */
export const createInbox = (listener: Listener): ((piece: string) => void) => {
  const unread = { text: '', dropping: false };
  return (piece) => {
    const lines = split(`${unread.text}${piece}`, '\n');
    const last = length(lines) - 1;
    unread.text = lines[last] as string;
    each(slice(lines, 0, last), (line) => {
      if (!unread.dropping) onLine(line, listener);
      unread.dropping = false;
    });
    if (length(unread.text) <= LONGEST_LINE) return;
    if (!unread.dropping) listener.onProblem('message dropped: it is too long');
    unread.text = '';
    unread.dropping = true;
  };
};
