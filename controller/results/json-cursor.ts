import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, QUOTE, SPACE } from './json-characters.ts';

/** A place in a text that may be JSON, which moves forward only: the time is linear in the length of the text. */
export class JsonCursor {
  readonly text: string;
  position = 0;
  /** The text ends inside a document. */
  truncated = false;
  /** Something else than JSON was skipped inside a document. */
  damaged = false;
  /** Whether the last string has a backslash. */
  protected escaped = false;

  constructor(text: string) {
    this.text = text;
  }

  /** Goes on behind what the sticky pattern takes here; false if it does not match. */
  protected take(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    if (!pattern.test(this.text)) return false;
    this.position = pattern.lastIndex;
    return true;
  }

  /** What the end of the text cuts off is not damaged. */
  protected noteDamage(): void {
    if (this.position < this.text.length) this.damaged = true;
  }

  /** Returns the code of the character that it stops at. */
  protected skipSpace(): number {
    let code = this.text.charCodeAt(this.position);
    while (code <= SPACE) code = this.text.charCodeAt(++this.position);
    return code;
  }

  /** Skips separators; false at the end of the container or of the text. A bracket that does not fit ends the container too. */
  protected hasNext(close: number): boolean {
    let code = this.skipSpace();
    while (code === COMMA) {
      this.position++;
      code = this.skipSpace();
    }
    if (this.position >= this.text.length) {
      this.truncated = true;
      return false;
    }
    if (code !== CLOSE_BRACE && code !== CLOSE_BRACKET) return true;
    if (code === close) this.position++;
    else this.damaged = true;
    return false;
  }

  /** Goes behind a colon and to the value; false if there is none. */
  protected hasColon(): boolean {
    if (this.skipSpace() !== COLON) return false;
    this.position++;
    this.skipSpace();
    return true;
  }

  /** Goes behind a string; false if the end of the text cuts it off. */
  protected skipString(): boolean {
    this.escaped = false;
    let end = this.position + 1;
    let code = this.text.charCodeAt(end);
    while (code !== QUOTE && end < this.text.length) {
      if (code === BACKSLASH) {
        this.escaped = true;
        end++;
      }
      code = this.text.charCodeAt(++end);
    }
    this.position = end + 1;
    if (end < this.text.length) return true;
    this.truncated = true;
    return false;
  }

  /** Goes to the end of what is neither a string nor a container. */
  protected skipWord(): void {
    let code = this.text.charCodeAt(this.position);
    while (code > SPACE && code !== COMMA && code !== QUOTE && code !== CLOSE_BRACE && code !== CLOSE_BRACKET)
      code = this.text.charCodeAt(++this.position);
  }

  /** Goes to this character, or the end of a container, over what makes no sense there. */
  protected skipJunk(end: number): void {
    let code = this.text.charCodeAt(this.position);
    while (code !== end && code !== CLOSE_BRACE && code !== CLOSE_BRACKET && this.position < this.text.length)
      code = this.text.charCodeAt(++this.position);
    this.noteDamage();
  }
}
