/** printf of some C libraries leaves a space in the exponent: `5.924e 06`. What goes on after it, also after a space, is no number (`1.#QNAN`, `5.9 e+06`). */
export const NUMBER = /[+-]?\d+(?:\.\d*)?(?:[eE][+\- ]?\d+)?(?!\s*[\w.#+-])/y;

/** What printf makes of a value that is none begins so, or with a sign. */
export const NOT_A_NUMBER_BEGINS: ReadonlySet<number> = new Set(
  ['n', 'N', 'i', 'I'].map((letter) => letter.charCodeAt(0)),
);
/** `nan`, `-nan(0x8…)`, `inf`, `Infinity`. */
export const NOT_A_NUMBER = /[+-]?(?:nan(?:\([^)\n]{0,20}\))?|inf(?:inity)?)/iy;

const ESCAPE = /\\(?:u([\da-fA-F]{4})|([\s\S]))/g;
const ESCAPED = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** By their first character. */
export const LITERALS = new Map<number, { word: string; meaning: boolean | null }>(
  [['true', true] as const, ['false', false] as const, ['null', null] as const].map(([word, meaning]) => [
    word.charCodeAt(0),
    { word, meaning },
  ]),
);

/** The text of a string, which may have any escape; an unknown one is its character. */
export const withoutEscapes = (text: string): string =>
  text.replace(ESCAPE, (_, code: string | undefined, character: string) =>
    code === undefined ? (ESCAPED.get(character) ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
