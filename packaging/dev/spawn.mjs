// @ts-check
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program to its end and passes on the signals that arrive meanwhile: we never die before our child.
 * @param {string} program
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, output?: 'stdout' | 'stderr', cwd?: string}} [options] `output`: where its stdout goes
 * @returns {Promise<number>} its exit code; 128 + signal if a signal ended it, as a shell would say
 * @throws {Error} when the program cannot be started (ENOENT)
 */
export function run(program, args, { env = process.env, output = 'stdout', cwd } = {}) {
  return new Promise((resolve, reject) => {
    const stdout = output === 'stdout' ? 'inherit' : process.stderr.fd;
    const child = spawn(program, args, { cwd, env, stdio: ['inherit', stdout, 'inherit'] });
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    const settle = () => FORWARDED.forEach((signal) => void process.off(signal, forward));
    for (const signal of FORWARDED) process.on(signal, forward);
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      settle();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
