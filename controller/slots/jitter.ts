/** A wait that is up to a quarter shorter or longer, so that those who wait do not come back together. */
export const jittered = (ms: number, random: () => number): number => ms * (0.75 + random() / 2);
