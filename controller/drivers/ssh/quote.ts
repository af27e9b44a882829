/**
 * A command line for a POSIX shell that passes on exactly these arguments: nothing in them means anything to it. Throws for a NUL, which
 * no argument can hold.
 */
export const quote = (argv: readonly string[]): string => {
  if (argv.some((argument) => argument.includes('\0'))) throw new Error('a NUL cannot be in an argument');
  return argv.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`).join(' ');
};
