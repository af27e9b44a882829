/** What happened, for people (`--trace`) and as a number that is the same whenever a seed is replayed. */
export class Trace {
  readonly lines: string[] = [];
  readonly #keep: 'nothing' | 'hash' | 'lines';
  #hash = 0x811c9dc5;

  constructor(keep: 'nothing' | 'hash' | 'lines' = 'nothing') {
    this.#keep = keep;
  }

  /** `text` is only made when somebody wants it: most nights nobody does. */
  say(now_ms: number, who: string, text: () => string): void {
    if (this.#keep === 'nothing') return;
    const line = `${(now_ms / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(14)} ${text()}`;
    for (let index = 0; index < line.length; index += 1) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
    }
    if (this.#keep === 'lines') this.lines.push(line);
  }

  /** FNV-1a of all lines. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
