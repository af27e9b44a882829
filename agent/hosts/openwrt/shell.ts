/** Runs programs. `fs.popen` goes through sh and gives one direction only, so the other one is a fifo. */

/** A text as one word of a command. */
export const quote = (text: string): string => `'${replace(text, /'/g, "'\\''")}'`;

/** What all programs of this agent have in common. `lock_fd` is closed in them: a lock is not to be held by what is left over. */
export interface Shell {
  /** The agent's folder in RAM; also the mark by which the next start finds what this one left running. */
  state: string;
  lock_fd: number;
}

export interface Child {
  write: (text: string) => void;
  /** The program's stdin ends. */
  end: () => void;
}

/** The command that runs `script` with `args` as its "$@", marked. */
const commandOf = (shell: Shell, script: string, args: string[]): string => {
  const words = map(args, quote);
  return `exec ${shell.lock_fd}>&-; PERFLEET_STATE=${quote(shell.state)} XDG_CONFIG_HOME=${quote(shell.state)} exec sh -c ${quote(script)} perfleet ${join(' ', words)}`;
};

/** What a short program prints; waits for it. */
export const ask = (shell: Shell, script: string, args: string[]): string => {
  const pipe = fs.popen(commandOf(shell, script, args), 'r');
  if (pipe == null) return '';
  const text = pipe.read('all') ?? '';
  pipe.close();
  return text;
};

/** Makes the fifos that `start` will use, new ones: before uloop runs, as that interrupts `system`. */
export const makeFifos = (shell: Shell, names: readonly string[]): void => {
  const paths = join(
    ' ',
    map(names, (name) => quote(`${shell.state}/${name}.fifo`)),
  );
  system(`rm -f ${paths}; mkfifo -m 600 ${paths}`);
};

/** Sends a signal to the process whose pid is in a file. */
export const signal = (path: string, name: 'TERM' | 'KILL'): void => {
  try {
    system(`{ read -r pid <${quote(path)} && kill -${name} $pid; } 2>/dev/null`);
  } catch (_) {
    // Interrupted while it waited: the signal is sent all the same.
  }
};

/**
 * Starts a program whose stdin is the fifo `name`. This process alone holds its other end: stdin ends with `end()`, and when the agent dies,
 * however. `onLine` hears that it has printed: of several lines in a burst some may be heard late, so what matters is in files by then.
 * `onEnd` is called once, when the program and all that has its stdout are gone.
 */
export const start = (
  shell: Shell,
  name: string,
  script: string,
  args: string[],
  onLine: (line: string) => void,
  onEnd: () => void,
): Child => {
  const fifo = `${shell.state}/${name}.fifo`;
  // Read and write: this neither waits for the program, nor fails when that has ended.
  const stdin = fs.open(fifo, 'r+e');
  const pipe = fs.popen(`exec <${quote(fifo)}; ${commandOf(shell, script, args)}`, 'r');
  const child = { open: stdin != null };
  const end = (): void => {
    if (child.open) stdin?.close?.();
    child.open = false;
  };
  if (pipe == null) {
    end();
    uloop.timer(0, onEnd);
    return { write: () => {}, end };
  }
  const watch = { handle: null as ReturnType<typeof uloop.handle> | null };
  const onReadable = (): void => {
    const line = pipe.read('line') ?? '';
    if (length(line) > 0) return onLine(trim(line));
    watch.handle?.['delete']?.();
    pipe.close();
    end();
    onEnd();
  };
  watch.handle = uloop.handle(pipe, onReadable, uloop.ULOOP_READ | uloop.ULOOP_BLOCKING);
  const write = (text: string): void => {
    if (!child.open) return;
    stdin?.write?.(text);
    stdin?.flush?.();
  };
  return { write, end };
};
