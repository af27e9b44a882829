/** What is asked of a figure. */
export type Target = { what: string; seen: number } & ({ at_most: number } | { at_least: number });

/** What a bench found. */
export interface Findings {
  /** For `--json`: units are in the names. */
  figures: object;
  /** For people: the same, as one or more tables. */
  tables: string[];
  targets: Target[];
}

export interface BenchOptions {
  /** Tells a person what it is doing. */
  say: (line: string) => void;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

export interface Bench {
  /** One line for the list of benches. */
  about: string;
  /** Rejects when it could not measure. */
  run(options: BenchOptions): Promise<Findings>;
}

export const isMet = (target: Target): boolean =>
  'at_most' in target ? target.seen <= target.at_most : target.seen >= target.at_least;

/** "MET" or "MISSED", and why. */
export const verdict = (target: Target): string => {
  const asked = 'at_most' in target ? `at most ${target.at_most}` : `at least ${target.at_least}`;
  return `${isMet(target) ? 'MET' : 'MISSED'}: ${target.what} is ${target.seen.toFixed(4)}, the target is ${asked}`;
};
