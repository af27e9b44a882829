import { InvalidArgumentError } from 'commander';

/** The value of `--limit`: what the API takes. */
export const limit = (text: string): string => {
  if (/^[1-9]\d{0,3}$|^10000$/.test(text)) return text;
  throw new InvalidArgumentError('Expected a whole number from 1 to 10000.');
};
