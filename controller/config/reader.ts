import { didYouMean } from './did-you-mean.ts';
import { id, type Leaf } from './leaf.ts';
import { type Path, type Problem, showKey, showName, showPath, showValue } from './problem.ts';
import type { SecretFolder, SecretKind } from './secret-folder.ts';
import type { YamlSource } from './yaml-source.ts';

type Fields = Record<string, Leaf<unknown>>;

/** Undefined stands for "absent" and for "wrong, and reported". */
export type Values<F extends Fields> = { [K in keyof F]: F[K] extends Leaf<infer T> ? T | undefined : never };

/** Where a secret stands. */
export interface SecretPlace {
  /** The path of a file. */
  file: string | null | undefined;
  /** The name of a variable. */
  env: string | null | undefined;
}

type Mapping = Record<string, unknown>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a file section by section and goes on after each problem, so that a person sees all of them at once. */
export class Reader {
  readonly problems: Problem[];
  readonly warnings: string[] = [];
  readonly #source: YamlSource;
  readonly #secrets: SecretFolder;

  constructor(source: YamlSource, secrets: SecretFolder) {
    this.#source = source;
    this.#secrets = secrets;
    this.problems = [...source.problems];
  }

  problem(path: Path, found: string, expected: string, hint?: string): void {
    const problem = { path: showPath(path), line: this.#source.lineOf(path), found, expected };
    this.problems.push(hint === undefined ? problem : { ...problem, hint });
  }

  /** One value; undefined when it is not as expected. */
  value<T>(path: Path, raw: unknown, leaf: Leaf<T>): T | undefined {
    const outcome = leaf.schema.safeParse(raw);
    if (outcome.success) return outcome.data;
    this.problem(path, showValue(path, raw), leaf.expected, leaf.hint?.(raw));
    return undefined;
  }

  /** A mapping with known keys; every other key is refused. Null and absent are an empty mapping. */
  fields<F extends Fields>(path: Path, raw: unknown, fields: F): Values<F> {
    const known = Object.keys(fields);
    const given = this.#mapping(path, raw, `a mapping with the keys ${known.join(', ')}`);
    for (const key of Object.keys(given ?? {})) {
      if (Object.hasOwn(fields, key)) continue;
      this.problem(
        [...path, key],
        `the unknown key ${showKey(key)}`,
        `one of ${known.join(', ')}`,
        didYouMean(key, known),
      );
    }
    const values: Partial<Record<keyof F, unknown>> = {};
    if (given !== undefined) {
      for (const [key, leaf] of Object.entries(fields) as [keyof F & string, Leaf<unknown>][]) {
        values[key] = this.value([...path, key], given[key], leaf);
      }
    }
    return values as Values<F>;
  }

  /** A mapping from names that people choose to entries; also of a bad name, so that the problems of its entry are found too. */
  entries(path: Path, raw: unknown, what: string): [name: string, entry: unknown][] {
    const given = this.#mapping(path, raw, `a mapping of ${what}`) ?? {};
    return this.#source.inFileOrder(path, Object.keys(given)).map((name) => {
      if (!id.schema.safeParse(name).success) this.problem([...path, name], `the name ${showName(name)}`, id.expected);
      return [name, given[name]];
    });
  }

  /** A list; null and absent are an empty one. */
  list(path: Path, raw: unknown, what: string): unknown[] {
    if (raw === undefined || raw === null) return [];
    if (Array.isArray(raw)) return raw;
    this.problem(path, showValue(path, raw), `a list of ${what}`);
    return [];
  }

  /** A name that must stand under the section `what`. Without a value there is nothing to look up. */
  reference(path: Path, name: string | null | undefined, known: ReadonlySet<string>, what: string): void {
    if (name === undefined || name === null || known.has(name)) return;
    this.problem(path, showValue(path, name), `a name that stands under ${what}`, didYouMean(name, known));
  }

  /** The content of a secret or PEM file, null where no file is named. */
  secret(path: Path, file: string | null | undefined, kind: SecretKind): string | null {
    if (file === undefined || file === null) return null;
    const outcome = this.#secrets.read(file, kind);
    if (outcome.ok && outcome.warning !== null) this.warnings.push(`${showPath(path)}: ${outcome.warning}`);
    if (!outcome.ok) this.problem(path, outcome.found, outcome.expected, outcome.hint);
    return outcome.ok ? outcome.content : null;
  }

  /** A secret that stands in a file or in a variable of the environment, under `<what>_file` or `<what>_env`; null where neither is named. */
  secretIn(path: Path, what: string, { file, env }: SecretPlace, kind: SecretKind = 'secret'): string | null {
    const fromFile = this.secret([...path, `${what}_file`], file, kind);
    if (env === undefined || env === null) return fromFile;
    const place = [...path, `${what}_env`];
    if ((file ?? null) !== null) this.problem(place, `both ${what}_file and ${what}_env`, 'one of them');
    const outcome = this.#secrets.readVariable(env);
    if (!outcome.ok) this.problem(place, outcome.found, outcome.expected);
    return outcome.ok ? outcome.content : null;
  }

  /** A path in the file counts from the folder of the file. */
  resolve(file: string): string {
    return this.#secrets.resolve(file);
  }

  #mapping(path: Path, raw: unknown, expected: string): Mapping | undefined {
    if (raw === undefined || raw === null) return {};
    if (isMapping(raw)) return raw;
    this.problem(path, showValue(path, raw), expected);
    return undefined;
  }
}

/** The keys of a mapping that have a value: null and absent mean the same. */
export const keysIn = (raw: unknown): ReadonlySet<string> =>
  new Set(isMapping(raw) ? Object.keys(raw).filter((key) => (raw[key] ?? null) !== null) : []);

/** The names that a section defines, whether or not what stands there is right. */
export const namesIn = (raw: unknown): ReadonlySet<string> => new Set(isMapping(raw) ? Object.keys(raw) : []);
