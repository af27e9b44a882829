import { optional, text } from './leaf.ts';
import type { Reader } from './reader.ts';
import type { ReceiverSettings } from './settings.ts';
import { httpUrl } from './url-leaf.ts';

/** `receivers`: who is told about alerts. */
export const readReceivers = (reader: Reader, raw: unknown): Map<string, ReceiverSettings> =>
  new Map(
    reader.entries(['receivers'], raw, 'receivers').map(([name, entry]) => {
      const path = ['receivers', name];
      const given = reader.fields(path, entry, { webhook: httpUrl, secret_file: optional(text('the path of a file')) });
      const secret = reader.secret([...path, 'secret_file'], given.secret_file, 'secret');
      return [name, { webhook: given.webhook ?? '', secret }];
    }),
  );
