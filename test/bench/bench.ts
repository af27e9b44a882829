/** What is asked of a figure. */
export interface Target {
  what: string;
  seen: number;
  at_most: number;
}

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

export const isMet = ({ seen, at_most }: Target): boolean => seen <= at_most;

/** "MET" or "MISSED", and why. */
export const verdict = (target: Target): string =>
  `${isMet(target) ? 'MET' : 'MISSED'}: ${target.what} is ${target.seen.toFixed(4)}, the target is at most ${target.at_most}`;
