/** What the openwrt host needs of ucode's builtins and of its modules fs, uloop and uci, as they are in OpenWrt 22.03. */
interface UcodeFile {
  /** "line" waits for a whole one and is "" at the end; "all" waits for the end. */
  read(what: 'line' | 'all' | number): string | null;
  write(text: string): number | null;
  flush(): unknown;
  close(): unknown;
  fileno(): number;
}
declare const fs: {
  /** `e` in the mode: not for the programs that are started. */
  open(path: string, mode: string): UcodeFile | null;
  fdopen(fd: number, mode: 'r'): UcodeFile | null;
  popen(command: string, mode: 'r'): UcodeFile | null;
  readfile(path: string): string | null;
  writefile(path: string, text: string): number | null;
  rename(from: string, to: string): boolean | null;
  unlink(path: string): boolean | null;
  mkdir(path: string, mode: number): boolean | null;
  chmod(path: string, mode: number): boolean | null;
  readlink(path: string): string | null;
  lsdir(path: string): string[] | null;
  stat(path: string): { mtime: number } | null;
};
interface UcodeTimer {
  cancel(): unknown;
}
declare const uloop: {
  ULOOP_READ: number;
  ULOOP_BLOCKING: number;
  init(): unknown;
  run(): unknown;
  end(): unknown;
  timer(ms: number, callback: () => void): UcodeTimer;
  handle(file: UcodeFile, callback: () => void, flags: number): { delete(): unknown };
};
/** Null where there is no UCI. */
declare const uci: { cursor(): { get_all(file: string, section: string): Record<string, unknown> | null } } | null;
/** The agent's, put there by the build. */
declare const VERSION: string;
/** Arguments of the program. */
declare const ARGV: string[];
declare function system(command: string): number;
declare function warn(text: string): void;
declare function exit(code: number): void;
/** Seconds and nanoseconds, monotonic. */
declare function clock(monotonic: true): [number, number];
declare function split(text: string, separator: string | RegExp): string[];
declare function trim(text: string): string;
declare function hex(text: string): number;
declare function hexenc(bytes: string): string;
declare function sort<T>(list: T[], compare: (a: T, b: T) => number): T[];
