import { readPipe } from './pipe.ts';
import { after } from './timer.ts';

/**
 * Runs programs. `fs.popen` goes through sh and gives one direction only, so stdin is a fifo. `system` and a `read` that waits are not for
 * here: uloop's SIGCHLD interrupts them.
 */

/** A text as one word of a command. */
export const quote = (text: string): string => `'${replace(text, /'/g, "'\\''")}'`;

/** What all programs of this start of the agent have in common. */
export interface Shell {
  /** The agent's folder in RAM. */
  state: string;
  boot: string;
  /** In that folder, what only this start needs: fifos, secrets. */
  folder: string;
}

/** The script that is the program in its arguments, with its complaints among what it prints. */
export const PLAIN = 'exec "$@" 2>&1';

export interface Program {
  /** Of a fed program also the name of its fifo, which nobody else may use before it has ended. */
  name: string;
  script: string;
  /** "$@" of the script. */
  args: string[];
  /** Whether it has a stdin. */
  fed: boolean;
  /** Whether it bears the agent's mark, by which it is found when nobody else knows it any more. */
  marked: boolean;
}

export interface Child {
  /** Null until it has begun. */
  pid: () => string | null;
  /** To its stdin. Never waits: what a fifo cannot take is lost. */
  write: (text: string) => void;
  /** Its stdin ends; so it does when the agent dies, however. */
  end: () => void;
  kill: () => void;
}

/**
 * A function of the shell: the pids of what bears a mark in its environment. `read` passes over NULs, and no program is started for it:
 * that would take a router seconds. BusyBox's grep would see nothing but the first variable.
 */
export const MARKED = `marked() {
  for process in /proc/[0-9]*; do
    [ -O $process ] && while IFS= read -r line || [ -n "$line" ]; do
      case $line in *"PERFLEET_STATE=$1"*) echo \${process#/proc/} && break ;; esac
    done <$process/environ
  done 2>/dev/null
}
`;

/** The value of PERFLEET_STATE of what this start runs, up to the name of one program. */
export const markOf = (shell: Shell): string => `${shell.state};${shell.boot};`;

const fifoOf = (shell: Shell, name: string): string => `${shell.folder}/${name}.fifo`;

/** Says its pid first. It opens a fifo for both directions first: that does not wait, also when the agent has closed it again. */
const commandOf = (shell: Shell, program: Program): string => {
  const fifo = quote(fifoOf(shell, program.name));
  const stdin = program.fed ? `exec 3<>${fifo} <${fifo} 3>&-` : 'exec </dev/null';
  const mark = program.marked ? quote(`${markOf(shell)}${program.name}`) : '';
  const words = join(' ', map(program.args, quote));
  const run = `exec sh -c ${quote(program.script)} perfleet ${words}`;
  return `${stdin}; echo $$; PERFLEET_STATE=${mark} XDG_CONFIG_HOME=${quote(shell.folder)} ${run}`;
};

/** Makes the agent's folder and that of this start, with the fifos of `names`. False when that cannot be done. Before uloop runs. */
export const makeFolders = (shell: Shell, names: readonly string[]): boolean => {
  const fifos = join(
    ' ',
    map(names, (name) => quote(fifoOf(shell, name))),
  );
  const state = quote(shell.state);
  return (
    system(`umask 077; mkdir -p ${state} && chmod 700 ${state} && mkdir ${quote(shell.folder)} && mkfifo ${fifos}`) ===
    0
  );
};

/** Writes a file that nobody else may read; false when it is not whole. */
export const writePrivate = (path: string, text: string): boolean => {
  fs.writefile(path, '');
  fs.chmod(path, 384);
  fs.writefile(path, text);
  return fs.stat(path)?.size === length(text);
};

/** For what need not be heard. */
export const ignore = (): void => {};

/** Opens the end of a fifo that is written to. Never waits for a reader, and does not fail without one. */
const openFifo = (path: string): UcodeFile | null => {
  const file = fs.open(path, 'r+e');
  if (file == null) return null;
  // All there is to it: uloop sets O_NONBLOCK.
  uloop.handle(file, ignore, uloop.ULOOP_READ)?.['delete']?.();
  return file;
};

/**
 * Starts a program. `onText` hears what it prints, in pieces as they come. `onEnd` is called once, when the program and all that has its
 * stdout are gone.
 */
export const start = (shell: Shell, program: Program, onText: (text: string) => void, onEnd: () => void): Child => {
  const child = {
    stdin: program.fed ? openFifo(fifoOf(shell, program.name)) : null,
    pid: null as string | null,
    said: '',
    killed: false,
    ended: false,
  };
  const end = (): void => {
    child.stdin?.close?.();
    child.stdin = null;
  };
  const kill = (): void => {
    child.killed = true;
    if (child.pid != null && !child.ended) fs.popen(`kill -KILL ${child.pid} 2>/dev/null`, 'r')?.close?.();
  };
  const hear = (text: string) => {
    if (child.pid != null) return onText(text);
    child.said = `${child.said}${text}`;
    const line_end = index(child.said, '\n');
    if (line_end < 0) return;
    child.pid = substr(child.said, 0, line_end);
    if (child.killed) kill();
    const rest = substr(child.said, line_end + 1);
    if (length(rest) > 0) onText(rest);
  };
  const pipe = fs.popen(commandOf(shell, program), 'r');
  const finish = (): void => {
    child.ended = true;
    end();
    pipe?.close?.();
    onEnd();
  };
  if (pipe != null) readPipe(pipe, hear, finish);
  else after(0, finish);
  const write = (text: string): void => {
    child.stdin?.write?.(text);
    child.stdin?.flush?.();
  };
  return { pid: () => child.pid, write, end, kill };
};
