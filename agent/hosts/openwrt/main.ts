import { exitCode, runProgram } from './program.ts';

const code = runProgram(ARGV);
if (code != null) {
  exit(code);
} else {
  uloop.run();
  if (exitCode() !== 0) exit(exitCode());
}
