import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from 'yaml';
import { type Path, type Problem, showKey, showPath } from './problem.ts';

/** A YAML text as plain data (mappings have no prototype), and where each part of it stands. */
export interface YamlSource {
  data: unknown;
  /** Line of the key or list item at `path`, or of the nearest thing around it that exists. */
  lineOf(path: Path): number | null;
  /** The keys of the mapping at `path` in the order of the file: plain data has numbers first. */
  inFileOrder(path: Path, keys: readonly string[]): string[];
  problems: Problem[];
  /** False when the text is so broken that `data` means nothing. */
  readable: boolean;
}

/** Messages of the parser that never quote the text, which might hold a secret; of others only the code is told. */
const QUOTE_FREE = new Set([
  'BAD_INDENT',
  'MISSING_CHAR',
  'TAB_AS_INDENT',
  'MULTILINE_IMPLICIT_KEY',
  'BLOCK_AS_IMPLICIT_KEY',
  'BLOCK_IN_FLOW',
]);

const HINTS: Record<string, string> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'remove the lines "---" and "..."',
  TAG_RESOLVE_FAILED: 'put a text that begins with "!" in quotes',
};

const syntaxProblem = (error: YAMLError, lines: LineCounter): Problem => {
  const words = error.code.toLowerCase().replaceAll('_', ' ');
  const hint = HINTS[error.code];
  return {
    path: '',
    line: lines.linePos(error.pos[0]).line,
    found: QUOTE_FREE.has(error.code) ? error.message : `a YAML error: ${words}`,
    expected: 'YAML 1.2',
    ...(hint === undefined ? {} : { hint }),
  };
};

const MAX_BRACKETS = 64;
const MAX_INDENT = 256;

/**
 * The line where nesting gets absurd, null when it never does. The parser recurses, and a stack that runs out inside a regular
 * expression ends the whole process. Brackets in quotes and comments count too: nobody has that many open.
 */
const tooDeep = (text: string): number | null => {
  let open = 0;
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    if (/[^ \t?:-]/.test(line.slice(0, MAX_INDENT)) === false && line.length > MAX_INDENT) return index + 1;
    for (const letter of line) {
      if (letter === '[' || letter === '{') open++;
      else if (letter === ']' || letter === '}') open = Math.max(0, open - 1);
      if (open > MAX_BRACKETS) return index + 1;
    }
  }
  return null;
};

/** Reads one YAML 1.2 document. Never throws: what is wrong with it comes back in `problems`. */
export const readYaml = (text: string): YamlSource => {
  const line = tooDeep(text);
  if (line !== null) {
    const problem = { path: '', line, found: 'brackets or indentation without end', expected: 'YAML 1.2' };
    return {
      data: null,
      problems: [problem],
      readable: false,
      lineOf: () => null,
      inFileOrder: (_, keys) => [...keys],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const problems = [...document.errors, ...document.warnings].map((error) => syntaxProblem(error, lines));
  const places = new Map<string, { line: number; order: number }>();
  const done = new Map<Node, unknown>();

  /** What the parser makes up has no place: the items of `!!pairs`, for one. */
  const lineAt = (node: unknown): number | null => {
    const offset = (node as Partial<Node> | null)?.range?.[0];
    return offset === undefined ? null : lines.linePos(offset).line;
  };
  const report = (path: Path, node: unknown, found: string, expected: string) =>
    problems.push({ path: showPath(path), line: lineAt(node), found, expected });
  const mark = (path: Path, node: unknown) => {
    const line = lineAt(node);
    if (line !== null) places.set(JSON.stringify(path), { line, order: places.size });
  };

  const mapping = (items: readonly { key: unknown; value: unknown }[], path: Path): unknown => {
    const data: Record<string, unknown> = Object.create(null);
    for (const { key, value } of items) {
      if (!isScalar(key)) {
        report(path, key, 'a key that is not a plain word', 'plain words as keys');
        continue;
      }
      const name = String(key.value);
      const here = [...path, name];
      if (name in data) {
        report(here, key, `the key "${showKey(name)}" a second time`, 'each key once');
        continue;
      }
      mark(here, key);
      data[name] = convert(value, here);
    }
    return data;
  };

  /** An alias gives the very value of its anchor, so that no text can grow beyond its own length. */
  const convert = (node: unknown, path: Path): unknown => {
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target !== undefined && done.has(target)) return done.get(target);
      report(
        path,
        node,
        'an alias of nothing, or of what it stands in',
        'an alias (*name) of an earlier anchor (&name)',
      );
      return null;
    }
    let data: unknown = null;
    if (isMap(node)) data = mapping(node.items, path);
    else if (isSeq(node)) {
      data = node.items.map((item, index) => {
        mark([...path, index], item);
        return convert(item, [...path, index]);
      });
    } else if (isScalar(node)) data = node.value;
    if (isMap(node) || isSeq(node) || isScalar(node)) done.set(node, data);
    return data;
  };

  const readable = document.errors.length === 0;
  return {
    data: readable ? convert(document.contents, []) : null,
    problems,
    readable,
    lineOf: (path) => {
      for (let length = path.length; length > 0; length--) {
        const place = places.get(JSON.stringify(path.slice(0, length)));
        if (place !== undefined) return place.line;
      }
      return null;
    },
    inFileOrder: (path, keys) => {
      const orderOf = (key: string): number => places.get(JSON.stringify([...path, key]))?.order ?? 0;
      return keys.toSorted((a, b) => orderOf(a) - orderOf(b));
    },
  };
};
