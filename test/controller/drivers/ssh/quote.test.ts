import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../../../controller/drivers/ssh/quote.ts';

/** What a shell makes of a command line that prints its arguments, one after another. */
const seenBy = (shell: string[], argv: string[]): string[] => {
  const [program = '', ...options] = shell;
  const line = `set -- ${quote(argv)}; for each do printf '%s\\001' "$each"; done`;
  return execFileSync(program, [...options, '-c', line], { encoding: 'utf8' })
    .split('\u0001')
    .slice(0, -1);
};

// No byte that separates what comes back, and none that is no argument.
const argument = fc
  .oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;#~=% \n\t-') }))
  .filter((text) => !text.includes('\0') && !text.includes('\u0001'));

describe.each([
  ['dash', ['dash']],
  ['BusyBox ash', ['busybox', 'ash']],
])('quote, for %s', (_name, shell) => {
  it('passes on any arguments as they are', () => {
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 5 }), (argv) => {
        expect(seenBy(shell, argv)).toEqual(argv);
      }),
      { numRuns: 150, examples: [[["$(reboot)'; reboot #", '', '-n', '~root']]] },
    );
  });
});

it('refuses a NUL, which would cut the command line', () => {
  expect(() => quote(['iperf3', 'a\0b'])).toThrow('a NUL cannot be in an argument');
});
