import type { Io, Output } from './io.ts';

const CODES = { bold: 1, red: 31, green: 32, yellow: 33 };

/** Text in a colour where that is wanted: on a terminal, and not when NO_COLOR is set (no-color.org). */
export const painted = (text: string, colour: keyof typeof CODES, out: Output, env: Io['env']): string => {
  const { NO_COLOR, TERM } = env;
  return out.isTTY === true && !NO_COLOR && TERM !== 'dumb' ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
};

/** Text that came from a device or a server, on one line and without what could steer a terminal. */
export const harmless = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '?');

/** The same for text that keeps its lines and tabs. */
export const harmlessLines = (text: string): string => text.replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, '?');
