#!/usr/bin/env node
// @ts-check
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { builtins } from './builtins.mjs';
import { files } from './files.mjs';
import { isLooping, loop } from './loop.mjs';
import { fromBytes } from './text.mjs';

// Runs a program for ucode under Node.js, as `ucode [--] PROGRAM [ARGUMENT…]` does: perfleet-agent.uc.

const words = process.argv.slice(2);
const [program = '', ...args] = words[0] === '--' ? words.slice(1) : words;
/** @type {Record<string, object>} */
const modules = { fs: files, uloop: loop };

Object.assign(globalThis, builtins, {
  ARGV: args.map(fromBytes),
  /** @param {string} name */
  require: (name) => {
    const found = modules[name];
    if (found === undefined) throw new Error(`No module named '${name}' could be found`);
    return found;
  },
  /** What comes after `uloop.run()` comes too early here: the program ends when nothing more is to be done. @param {number} code */
  exit: (code) => {
    if (!starting || !isLooping()) process.exit(code);
    process.exitCode = code;
  },
});
let starting = true;
runInThisContext(readFileSync(program, 'latin1'), { filename: program });
starting = false;
// ucode runs what comes after `uloop.run()` when that has ended, and here it came at once: what the agent's main.ts asks there is asked again.
process.once('exit', () => {
  process.exitCode ||= runInThisContext("typeof exitCode === 'function' ? exitCode() : 0");
});
