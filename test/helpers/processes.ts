import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether a process is stopped (SIGSTOP) by now. */
export const isStopped = (pid: number): boolean => /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** Whether a process runs; a zombie, which only waits for its parent, does not. */
export const isRunning = (pid: number): boolean => {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

/** The process group of a process. */
export const groupOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2]);

export interface FoundProcess {
  pid: number;
  /** The first 15 characters of the program's name; a script has its own. */
  name: string;
  command: string;
}

const readProc = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // gone
  }
};

/** Where the kernel says which PID namespace a process is in; empty when it is gone. */
const pidNamespace = (pid: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
};

const livingProcesses = (isMeant: (pid: string) => boolean): FoundProcess[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && isMeant(pid))
    .filter((pid) => isRunning(Number(pid)))
    .map((pid) => ({
      pid: Number(pid),
      name: readProc(pid, 'comm').trim(),
      command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim(),
    }));

/** The living processes whose environment, as they were started, has this `NAME=value`. */
export const processesWith = (variable: string): FoundProcess[] =>
  livingProcesses((pid) => readProc(pid, 'environ').split('\0').includes(variable));

/** The living processes that are in the same PID namespace as this one. */
export const processesBeside = (init: number): FoundProcess[] => {
  const namespace = pidNamespace(`${init}`);
  return namespace === '' ? [] : livingProcesses((pid) => pidNamespace(pid) === namespace);
};
