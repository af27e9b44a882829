import type { Log } from '../../../broker/log.ts';

/** Writes one line a message, for logd and journald, which add the time: `warn message {"field":1}`. `debug` is left out. */
export const lineLog = (write: (line: string) => void): Log => {
  const at = (level: string) => (fields: object, message: string) =>
    write(`${level} ${message}${Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ''}\n`);
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') };
};
