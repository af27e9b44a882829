import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** `secret`: one line, for nobody else's eyes. `password`: the same, or nothing. `key`: PEM, as secret. `public`: PEM, anyone may read it. */
export type SecretKind = 'secret' | 'password' | 'key' | 'public';

export type SecretFile =
  | { ok: true; content: string; warning: string | null }
  | { ok: false; found: string; expected: string; hint?: string };

const CREDENTIALS = '$CREDENTIALS_DIRECTORY/';

/** Someone may have written the secret itself where its file belongs: only what must be a path is shown. */
const shown = (file: string): string => (/^(\/|\.\/|\.\.\/|\$)/.test(file) ? file : 'a file of that name');

const WHY: Record<string, string> = { ENOENT: 'does not exist', EACCES: 'may not be read', EISDIR: 'is a folder' };

/** Reads the files, and the variables of the environment, that a configuration file names. */
export class SecretFolder {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** Relative paths count from `folder`; variables, and `$CREDENTIALS_DIRECTORY/` (systemd's LoadCredential), are looked up in `env`. */
  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  resolve(file: string): string {
    const { CREDENTIALS_DIRECTORY: credentials } = this.#env;
    return file.startsWith(CREDENTIALS) && credentials !== undefined
      ? join(credentials, file.slice(CREDENTIALS.length))
      : resolve(this.#folder, file);
  }

  /** One line of text in a variable of the environment. Never throws. */
  readVariable(name: string): SecretFile {
    const content = this.#env[name]?.replace(/[\r\n]+$/, '') ?? '';
    if (content.trim() !== '' && !/\p{Cc}/u.test(content)) return { ok: true, content, warning: null };
    const why = content.trim() === '' ? 'is not set, or empty' : 'has several lines or control characters';
    const expected = 'a variable of the environment with one line of text';
    return { ok: false, found: `the variable ${name}, which ${why}`, expected };
  }

  /** The content without line ends after it. Never throws. */
  read(file: string, kind: SecretKind): SecretFile {
    const isPem = kind === 'key' || kind === 'public';
    const expected = isPem ? 'a PEM file' : 'a file with one line of text';
    const refused = (found: string, hint?: string): SecretFile => ({
      ok: false,
      found,
      expected,
      ...(hint === undefined ? {} : { hint }),
    });
    let content: string;
    let mode: number;
    try {
      const path = this.resolve(file);
      content = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
      mode = statSync(path).mode;
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      return refused(
        `${shown(file)} ${WHY[code] ?? `cannot be read (${code})`}`,
        'this key names a file, not the secret itself',
      );
    }
    if (kind !== 'password' && content.trim() === '') return refused(`${shown(file)} is empty`);
    if (!isPem && /\p{Cc}/u.test(content)) return refused(`${shown(file)} has several lines or control characters`);
    if (isPem && !content.includes('-----BEGIN ')) return refused(`${shown(file)} is not PEM`);
    const exposed = kind !== 'public' && (mode & 0o004) !== 0;
    return {
      ok: true,
      content,
      warning: exposed ? `everybody on this machine can read ${shown(file)}: chmod o= it` : null,
    };
  }
}
