import { now } from './timer.ts';

/** The same words are said again only after this long: the log of a router has 64 KB. */
const REST_MS = 60000;

/** Different words within that time. */
const MOST = 16;

/** A `say` for what others bring about, and so may bring about a thousand times. */
export const createSeldom = (say: (text: string) => void): ((text: string) => void) => {
  const said = { lately: [] as { text: string; at_ms: number }[] };
  return (text) => {
    const at_ms = now();
    said.lately = filter(said.lately, (other) => at_ms - other.at_ms < REST_MS);
    const isNew = length(filter(said.lately, (other) => other.text === text)) === 0;
    if (!isNew || length(said.lately) >= MOST) return;
    push(said.lately, { text, at_ms });
    say(text);
  };
};
