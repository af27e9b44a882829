/** At least so many values make a median. */
const LEAST_VALUES = 5;

/** The middle one of sorted values; of an even number the mean of the two. Null when there are too few to say what is normal. */
export const middleOf = (sorted: readonly number[]): number | null => {
  if (sorted.length < LEAST_VALUES) return null;
  const [low = 0, high = low] = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return (low + high) / 2;
};

/** The same of values in any order. */
export const medianOf = (values: readonly number[]): number | null => middleOf(values.toSorted((a, b) => a - b));
