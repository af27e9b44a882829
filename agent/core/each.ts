/** Calls `visit` with every item, in order. The portable subset has neither `for…of` nor `forEach`. */
export const each = <T>(list: readonly T[], visit: (item: T, index: number) => void): void => {
  for (let i = 0; i < length(list); i++) visit(list[i] as T, i);
};
