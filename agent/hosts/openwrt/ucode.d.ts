/** What the openwrt host needs of ucode's builtins and of its modules fs and uloop, as they are in OpenWrt 22.03. */
interface UcodeFile {
  /** Of a file that uloop handles, what is there by now; empty at its end. */
  read(what: 'all' | number): string | null;
  write(text: string): number | null;
  flush(): unknown;
  /** Of a pipe: waits for the end of its program. */
  close(): unknown;
}
declare const fs: {
  /** `e` in the mode: not for the programs that are started. */
  open(path: string, mode: string): UcodeFile | null;
  fdopen(fd: number, mode: 'r'): UcodeFile | null;
  popen(command: string, mode: 'r'): UcodeFile | null;
  readfile(path: string): string | null;
  /** Counts also what a full disk did not take. */
  writefile(path: string, text: string): number | null;
  rename(from: string, to: string): boolean | null;
  unlink(path: string): boolean | null;
  mkdir(path: string, mode: number): boolean | null;
  chmod(path: string, mode: number): boolean | null;
  readlink(path: string): string | null;
  lsdir(path: string): string[] | null;
  stat(path: string): { mtime: number; size: number } | null;
};
declare const uloop: {
  ULOOP_READ: number;
  init(): unknown;
  run(): unknown;
  end(): unknown;
  timer(ms: number, callback: () => void): { cancel(): unknown };
  /** Neither reading nor writing `file` waits from now on. Calls back when it can be read, also at its end. */
  handle(file: UcodeFile, callback: () => void, flags: number): { delete(): unknown } | null;
};
/** The agent's, put there by the build. */
declare const VERSION: string;
/** Arguments of the program. */
declare const ARGV: string[];
/** The exit code. Not while uloop runs. */
declare function system(command: string): number;
/** To stderr. */
declare function warn(text: string): void;
/** To stdout. */
declare function print(text: string): void;
declare function exit(code: number): void;
/** Seconds and nanoseconds, monotonic. */
declare function clock(monotonic: true): [number, number];
declare function keys(object: object): string[];
declare function split(text: string, separator: string | RegExp): string[];
/** For patterns with control characters, which a literal cannot have. */
declare function regexp(pattern: string, flags?: string): RegExp;
declare function trim(text: string): string;
declare function hex(text: string): number;
declare function hexenc(bytes: string): string;
declare function sort<T>(list: T[], compare: (a: T, b: T) => number): T[];
