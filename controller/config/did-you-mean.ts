/** Edits (insert, delete, replace) that turn `a` into `b`. */
const distance = (a: string, b: string): number => {
  // After each letter of `a`: the edits from what was read of it to each beginning of `b`, by the last letter of that.
  let row = [...b].map((letter, index) => ({ letter, edits: index + 1 }));
  let edits = row.length;
  for (const [index, letter] of [...a].entries()) {
    let diagonal = index;
    edits = index + 1;
    row = row.map((above) => {
      edits = Math.min(edits + 1, above.edits + 1, diagonal + (letter === above.letter ? 0 : 1));
      diagonal = above.edits;
      return { letter: above.letter, edits };
    });
  }
  return edits;
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
