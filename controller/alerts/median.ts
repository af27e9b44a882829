/** At least so many values make a median. */
const LEAST_VALUES = 5;

/** The middle one; of an even number the mean of the two. Null when there are too few to say what is normal. */
export const medianOf = (values: readonly number[]): number | null => {
  if (values.length < LEAST_VALUES) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = low] = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return (low + high) / 2;
};
