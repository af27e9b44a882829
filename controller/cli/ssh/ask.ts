import { createInterface } from 'node:readline';
import type { Io } from '../io.ts';

/** Whether somebody can be asked. */
export const canAsk = ({ stdin, stderr }: Io): boolean => stdin.isTTY === true && stderr.isTTY === true;

/** Asks on the terminal; anything but `y` or `yes`, also Ctrl-C and the end of input, is a no. */
export const askYesNo = ({ stdin, stderr }: Io, question: string): Promise<boolean> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: stdin, output: stderr });
    lines.once('close', () => resolve(false));
    lines.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      lines.close();
    });
  });
