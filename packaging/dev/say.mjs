// @ts-check

/**
 * Tells the person what is going on. On stderr: stdout belongs to the command's own output (`--json`).
 * @param {string} line
 */
export const say = (line) => void process.stderr.write(`perfleet: ${line}\n`);

/** An error whose message is all that a person needs: what is wrong and what to do, no stack trace. */
export class Refusal extends Error {}
