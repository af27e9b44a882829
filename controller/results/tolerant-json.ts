/** One JSON object found in a text. */
export interface JsonDocument {
  /** Where a key occurs twice it holds the last value, as JSON.parse would. */
  value: Record<string, unknown>;
  /** The earlier values of keys that occur twice at the top of the document. */
  doubled: { key: string; value: unknown }[];
}

/** What a text holds (empty objects left out), and what was wrong with it. */
export interface TolerantJson {
  documents: JsonDocument[];
  /** The text before, between and after the documents. */
  outside: string;
  /** How many values were no numbers (nan, inf, 1e999) and were left out. */
  not_numbers: number;
  /** The text ends inside a document; a value that touches the end is left out, it may lack digits. */
  truncated: boolean;
  /** Something else than JSON stands inside a document and was skipped. */
  damaged: boolean;
}

const MAX_DEPTH = 64;
const COMMA = 44;
/** This and every code below it counts as white space. */
const SPACE = 32;
const COLON = /\s*:\s*/y;
/** printf of some C libraries leaves a space in the exponent: `5.924e 06`. */
const NUMBER = /[+-]?\d+(?:\.\d*)?(?:[eE][+\- ]?\d+)?/y;
const NOT_A_NUMBER = /[+-]?(?:nan(?:\([^)\n]{0,20}\))?|inf(?:inity)?)/iy;
const NO_KEY = /[^"}\]]+/y;
const UNREADABLE = /[^,}\]\n]*/y;
const LITERALS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** Reads forward only, each character a fixed number of times: the time is linear in the length of the text. */
class Reader {
  readonly text: string;
  position = 0;
  notNumbers = 0;
  truncated = false;
  damaged = false;
  doubled: JsonDocument['doubled'] = [];

  constructor(text: string) {
    this.text = text;
  }

  /** The characters that the sticky pattern takes here; null if it does not match. */
  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.position = pattern.lastIndex;
    return found[0];
  }

  /** What the end of the text cuts off is not damaged. */
  private noteDamage(): void {
    if (this.position < this.text.length) this.damaged = true;
  }

  /** Skips separators; false at the end of the container or of the text. A bracket that does not fit ends the container too. */
  private hasNext(close: string): boolean {
    let code = this.text.charCodeAt(this.position);
    while (code <= SPACE || code === COMMA) code = this.text.charCodeAt(++this.position);
    const character = this.text[this.position];
    if (character === undefined) {
      this.truncated = true;
      return false;
    }
    if (character !== '}' && character !== ']') return true;
    if (character === close) this.position++;
    else this.damaged = true;
    return false;
  }

  /** Reads the members of an object; its brace is already taken. */
  object(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    while (this.hasNext('}')) {
      if (this.take(NO_KEY) !== null) {
        this.noteDamage();
        continue;
      }
      const key = this.string();
      if (key === undefined) continue;
      if (this.take(COLON) === null) {
        this.noteDamage();
        continue;
      }
      const value = this.value(depth);
      if (value === undefined || key === '__proto__') continue;
      if (depth === 1 && Object.hasOwn(result, key)) this.doubled.push({ key, value: result[key] });
      result[key] = value;
    }
    return result;
  }

  private array(depth: number): unknown[] {
    const result: unknown[] = [];
    while (this.hasNext(']')) {
      const value = this.value(depth);
      if (value !== undefined) result.push(value);
    }
    return result;
  }

  /** A string that the end of the text cuts off is undefined. */
  private string(): string | undefined {
    const start = this.position;
    let end = start + 1;
    let escaped = false;
    while (end < this.text.length && this.text[end] !== '"') {
      if (this.text[end] === '\\') {
        escaped = true;
        end++;
      }
      end++;
    }
    this.position = end + 1;
    if (end >= this.text.length) {
      this.truncated = true;
      return undefined;
    }
    if (!escaped) return this.text.slice(start + 1, end);
    try {
      return String(JSON.parse(this.text.slice(start, end + 1)));
    } catch {
      return this.text.slice(start + 1, end);
    }
  }

  /** Undefined for what is no value; the position has moved on then, too. */
  private value(depth: number): unknown {
    const character = this.text[this.position];
    if (character === '"') return this.string();
    if ((character === '{' || character === '[') && depth < MAX_DEPTH) {
      this.position++;
      return character === '{' ? this.object(depth + 1) : this.array(depth + 1);
    }
    const digits = this.take(NUMBER);
    if (digits !== null) return this.number(digits);
    if (this.take(NOT_A_NUMBER) !== null) {
      this.notNumbers++;
      return undefined;
    }
    for (const [word, meaning] of LITERALS) {
      if (!this.text.startsWith(word, this.position)) continue;
      this.position += word.length;
      return meaning;
    }
    this.take(UNREADABLE);
    this.noteDamage();
    return undefined;
  }

  private number(digits: string): number | undefined {
    if (this.position === this.text.length) {
      this.truncated = true;
      return undefined;
    }
    const value = Number(digits.replace(' ', ''));
    if (Number.isFinite(value)) return value;
    this.notNumbers++;
    return undefined;
  }
}

/**
 * Finds every JSON object in a text and reads what can be read of it, where JSON.parse would refuse the whole: text around the objects,
 * nan and inf, missing commas, junk, doubled keys, an end in the middle. Never throws; linear in the length of the text.
 */
export const readTolerantJson = (text: string): TolerantJson => {
  const reader = new Reader(text);
  const documents: JsonDocument[] = [];
  let outside = '';
  for (;;) {
    const open = text.indexOf('{', reader.position);
    outside += text.slice(reader.position, open < 0 ? undefined : open);
    if (open < 0) break;
    reader.position = open + 1;
    const value = reader.object(1);
    if (Object.keys(value).length > 0) documents.push({ value, doubled: reader.doubled });
    if (reader.doubled.length > 0) reader.doubled = [];
  }
  return {
    documents,
    outside,
    not_numbers: reader.notNumbers,
    truncated: reader.truncated,
    damaged: reader.damaged,
  };
};
