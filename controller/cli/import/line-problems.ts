/** What is wrong with a line of a file, in words. */
export interface LineProblem {
  line: number;
  message: string;
}

/** `2, 5-7`; the lines are in order. */
const ranges = (lines: readonly number[]): string => {
  const found: [from: number, to: number][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last !== undefined && last[1] >= line - 1) last[1] = line;
    else found.push([line, line]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
};

/** Each message once, with all lines that it is about, in the order of the file; and how many problems there are. */
export const formatLineProblems = (problems: readonly LineProblem[], file: string): string => {
  const lines = new Map<string, number[]>();
  for (const { line, message } of problems.toSorted((a, b) => a.line - b.line))
    lines.set(message, [...(lines.get(message) ?? []), line]);
  const rows = [...lines].map(([message, where]) =>
    where.length === 1 ? `  line ${where[0]}: ${message}` : `  ${where.length} lines: ${message}\n    ${ranges(where)}`,
  );
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [`${file} was refused, and no device was added: ${count}`, ...rows].join('\n');
};
