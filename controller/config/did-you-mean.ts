/** Edits (insert, delete, replace) that turn `a` into `b`. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** `did you mean "host"?` for the nearest of `known`, if one is near enough: a third of its letters, at least two, may be wrong. */
export const didYouMean = (word: string, known: Iterable<string>): string | undefined => {
  if (word.length > 64) return undefined;
  let best: { name: string; edits: number } | undefined;
  for (const name of known) {
    const edits = distance(word.toLowerCase(), name.toLowerCase());
    const allowed = Math.min(word.length - 1, Math.max(2, Math.floor(name.length / 3)));
    if (edits <= allowed && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best && `did you mean "${best.name}"?`;
};
