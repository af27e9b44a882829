import type { HostKeyOrder, HostKeyView } from '../../api/ssh-views.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandFailure } from '../failure.ts';
import type { Io } from '../io.ts';
import { harmless } from '../terminal-text.ts';
import { askYesNo, canAsk } from './ask.ts';
import { type Beforehand, shownKey, toldKey } from './find-host-key.ts';

export interface KeyQuestion extends Beforehand {
  /** What a refusal begins with: "ap-12 was not added". */
  otherwise: string;
  order: HostKeyOrder;
  /** What is pinned already: shown again it needs nobody's word. */
  pinned: string | null;
  /** Somebody has said that whatever the device shows is right. */
  accept: boolean;
  /** What people read first when they are asked; the key that is shown is given. */
  introduction: (key: HostKeyView) => string;
}

/** `ssh-ed25519 SHA256:…`, as people compare it. */
export const keyInWords = ({ host_key, fingerprint }: HostKeyView): string =>
  `${host_key.split(' ')[0]} ${fingerprint}`;

/**
 * The key to pin for one device: one that was told, or the very one that the device has shown and somebody confirmed. Throws CommandFailure
 * when there is none. Never accepts one silently.
 */
export const confirmHostKey = async (io: Io, client: ApiClient, question: KeyQuestion): Promise<string> => {
  const { otherwise, order, pinned, accept, introduction } = question;
  const fail = (problem: string): never => {
    throw new CommandFailure(`${otherwise}: ${harmless(problem)}`);
  };
  const told = toldKey(order, question);
  if (told !== null) return told.ok ? told.host_key : fail(told.problem);
  const shown = await shownKey(client, order, question);
  if (!shown.ok) return fail(shown.problem);
  const { key } = shown;
  if (shown.expected) return key.host_key;
  io.stderr.write(`${introduction(key)}\n`);
  if (accept || key.host_key === pinned) return key.host_key;
  if (!canAsk(io))
    return fail(`nobody has confirmed its host key. Compare it, and give --host-key '${key.fingerprint}'`);
  return (await askYesNo(io, 'Is it the right one?')) ? key.host_key : fail('its host key was not confirmed');
};
