/** A command that did not do what it was asked for; the message says what went wrong, where, and what to do. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
