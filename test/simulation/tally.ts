import type { Verdict } from './judge.ts';

/** So many broken seeds are listed one by one. */
const MOST_LISTED = 20;

/** What many nights came to. */
export class Tally {
  nights = 0;
  readonly broken: Extract<Verdict, { ok: false }>[] = [];
  readonly #outcomes = new Map<string, number>();

  add(verdict: Verdict): void {
    this.nights += 1;
    if (!verdict.ok) {
      this.broken.push(verdict);
      return;
    }
    for (const [how, count] of verdict.outcomes) this.#outcomes.set(how, (this.#outcomes.get(how) ?? 0) + count);
  }

  get outcomes(): ReadonlyMap<string, number> {
    return this.#outcomes;
  }

  get runs(): number {
    return [...this.#outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  /** For people, line by line. `seconds`: what it took. */
  report(seconds: number): string[] {
    const { nights, broken, runs } = this;
    const rate = (nights / Math.max(seconds, 0.001)).toFixed(0);
    const outcomes = [...this.#outcomes].sort(([, a], [, b]) => b - a);
    const listed = broken.toSorted((a, b) => a.seed - b.seed).slice(0, MOST_LISTED);
    const laws = new Map<string, number>();
    for (const { law } of broken) laws.set(law, (laws.get(law) ?? 0) + 1);
    return [
      `${nights} nights in ${seconds.toFixed(1)} s: ${rate} a second, ${runs} runs`,
      ...outcomes.map(
        ([how, count]) => `  ${`${count}`.padStart(9)}  ${((100 * count) / runs).toFixed(2).padStart(6)}%  ${how}`,
      ),
      ...(broken.length === 0 ? ['No law was broken.'] : [`${broken.length} nights broke a law:`]),
      ...[...laws].map(([law, count]) => `  ${`${count}`.padStart(9)}  ${law}`),
      ...listed.map(({ seed, message }) => `  --seed ${seed}: ${message}`),
    ];
  }
}
