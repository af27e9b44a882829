/** Enough of an answer to recognize the cause. */
const MAX_LENGTH = 500;

/** What somebody else said, on one line and not too long. */
export const shortened = (text: string): string =>
  text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_LENGTH);

/** Why a request failed. A name with several addresses fails with one error for each, and no message of its own. */
export const networkReason = (error: unknown): string =>
  shortened(String(error instanceof AggregateError ? error.errors : error));
