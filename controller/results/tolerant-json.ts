import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  ZERO,
} from './json-characters.ts';
import { JsonCursor } from './json-cursor.ts';
import { LITERALS, NOT_A_NUMBER, NOT_A_NUMBER_BEGINS, NUMBER, withoutEscapes } from './json-scalars.ts';

/** One JSON object found in a text: of its members those that were asked for. */
export interface JsonDocument {
  /** Where a key occurs twice it holds the last value, as JSON.parse would. */
  value: Record<string, unknown>;
  /** The earlier values of keys that occur twice at the top of the document, up to ten. */
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
  /** There were more objects than such a text can reasonably hold, and the rest was skipped. */
  excess: boolean;
}

const MAX_DEPTH = 64;
const MAX_DOUBLED = 10;
/** What is beyond is cut off: iperf3's own texts are shorter than 1000 characters. */
const MAX_STRING = 4000;
/** Of strings with escapes so many characters are decoded in a text, and what is beyond is left as it stands: iperf3 escapes next to nothing. */
const MAX_DECODED = 65_536;

/**
 * How many objects, arrays and elements of arrays are built: some for any text, and one for so many characters. iperf3 spends more than 60 on
 * each, and more than 300 on a document. What is beyond is skipped, so that no text costs much more time or memory than an honest one.
 */
const BUILT_AT_LEAST = 1024;
const CHARACTERS_PER_BUILT = 50;
/** A document counts like so many. */
const DOCUMENT = 4;

/** Builds what was asked for and skips the rest, each character a fixed number of times. */
class Reader extends JsonCursor {
  readonly keys: ReadonlySet<string>;
  notNumbers = 0;
  excess = false;
  doubled: JsonDocument['doubled'] = [];
  private mayBuild: number;
  private mayDecode = MAX_DECODED;

  constructor(text: string, keys: ReadonlySet<string>) {
    super(text);
    this.keys = keys;
    this.mayBuild = BUILT_AT_LEAST + Math.floor(text.length / CHARACTERS_PER_BUILT);
  }

  /** Whether so many more may be built. */
  private builds(number = 1): boolean {
    this.mayBuild -= number;
    if (this.mayBuild < 0) this.excess = true;
    return !this.excess;
  }

  /** Reads a document; its brace comes next. Null when it is not built. */
  document(): Record<string, unknown> | null {
    this.position++;
    return this.object(1, this.builds(DOCUMENT));
  }

  /** Reads the members of an object; its brace is already taken. */
  private object(depth: number, built: boolean): Record<string, unknown> | null {
    const result: Record<string, unknown> | null = built ? {} : null;
    while (this.hasNext(CLOSE_BRACE)) {
      if (this.text.charCodeAt(this.position) !== QUOTE) {
        this.skipJunk(QUOTE);
        continue;
      }
      const key = this.key(built);
      if (!this.hasColon()) {
        this.noteDamage();
        continue;
      }
      const value = this.value(depth, key !== undefined);
      if (result === null || key === undefined || value === undefined) continue;
      if (depth === 1 && this.doubled.length < MAX_DOUBLED && Object.hasOwn(result, key))
        this.doubled.push({ key, value: result[key] });
      result[key] = value;
    }
    return result;
  }

  private array(depth: number, built: boolean): unknown[] | null {
    const result: unknown[] | null = built ? [] : null;
    while (this.hasNext(CLOSE_BRACKET)) {
      const value = this.value(depth, result !== null && this.builds());
      if (value !== undefined) result?.push(value);
    }
    return result;
  }

  /** A key that was asked for; undefined for any other. */
  private key(wanted: boolean): string | undefined {
    const start = this.position + 1;
    if (!this.skipString() || !wanted) return undefined;
    const key = this.text.slice(start, this.position - 1);
    return this.keys.has(key) ? key : undefined;
  }

  /** A string that the end of the text cuts off is undefined. */
  private string(wanted: boolean): string | undefined {
    const start = this.position + 1;
    if (!this.skipString() || !wanted) return undefined;
    const text = this.text.slice(start, Math.min(this.position - 1, start + MAX_STRING));
    if (!this.escaped || text.length > this.mayDecode) return text;
    this.mayDecode -= text.length;
    return withoutEscapes(text);
  }

  /** Undefined for what is no value, or not wanted; the position has moved on then, too. */
  private value(depth: number, wanted: boolean): unknown {
    const start = this.position;
    const code = this.text.charCodeAt(start);
    if (code === QUOTE) return this.string(wanted);
    if ((code === OPEN_BRACE || code === OPEN_BRACKET) && depth < MAX_DEPTH) {
      this.position++;
      const built = wanted && this.builds();
      return (code === OPEN_BRACE ? this.object(depth + 1, built) : this.array(depth + 1, built)) ?? undefined;
    }
    if (!wanted) {
      this.skipWord();
      return undefined;
    }
    const isSigned = code === PLUS || code === MINUS;
    if ((isSigned || (code >= ZERO && code <= NINE)) && this.take(NUMBER)) return this.number(start);
    if ((isSigned || NOT_A_NUMBER_BEGINS.has(code)) && this.take(NOT_A_NUMBER)) {
      this.notNumbers++;
      return undefined;
    }
    const literal = LITERALS.get(code);
    if (literal !== undefined && this.text.startsWith(literal.word, start)) {
      this.position += literal.word.length;
      return literal.meaning;
    }
    this.skipJunk(COMMA);
    return undefined;
  }

  private number(start: number): number | undefined {
    if (this.position === this.text.length) return undefined;
    const value = Number(this.text.slice(start, this.position).replace(' ', ''));
    if (Number.isFinite(value)) return value;
    this.notNumbers++;
    return undefined;
  }
}

/**
 * Finds every JSON object in a text and reads what can be read of it, where JSON.parse would refuse the whole: text around the objects,
 * nan and inf, missing commas, junk, doubled keys, an end in the middle. Builds only members whose key is in `keys`, at any depth, and not
 * more of them than a reasonable text holds. Never throws; linear in the length of the text.
 */
export const readTolerantJson = (text: string, keys: ReadonlySet<string>): TolerantJson => {
  const reader = new Reader(text, keys);
  const documents: JsonDocument[] = [];
  let outside = '';
  for (;;) {
    const open = text.indexOf('{', reader.position);
    outside += text.slice(reader.position, open < 0 ? undefined : open);
    if (open < 0 || reader.excess) break;
    reader.position = open;
    const value = reader.document();
    if (value !== null && Object.keys(value).length > 0) documents.push({ value, doubled: reader.doubled });
    if (reader.doubled.length > 0) reader.doubled = [];
  }
  return {
    documents,
    outside,
    not_numbers: reader.notNumbers,
    truncated: reader.truncated,
    damaged: reader.damaged,
    excess: reader.excess,
  };
};
