import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How one call of the fake went. */
export interface Call {
  argv: string[];
  password: string | null;
  /** Text of the file that `--rsa-public-key-path` named. */
  key: string | null;
  pid: number;
}

/** `$calls` is the number of this call, `$folder` a folder of its own. */
const script = (folder: string, first: string, body: string): string => `#!/bin/sh
case "$1" in
--version | -v) echo 'iperf 3.12 (cJSON 1.7.15)'; exit 0 ;;
esac
${first}
calls=$(ls ${folder} | grep -c '^argv')
here=${folder}
printf '%s\\0' "$@" >$here/new
env | sed -n 's/^IPERF3_PASSWORD=//p' >$here/password.$calls
echo $$ >$here/pid.$calls
while [ $# -gt 1 ]; do
  [ "$1" = --rsa-public-key-path ] && cat "$2" >$here/key.$calls
  shift
done
mv $here/new $here/argv.$calls
${body}
`;

/** Something in iperf3's place, the first on the agent's PATH: it does what a case needs, and notes how it was called. */
export class FakeIperf3 {
  readonly #folder: string;

  /**
   * Puts it into `bin`. `body` is what it does, in sh; `$here` is its folder, `$calls` how often it was called before. `first` is done before
   * the call is noted.
   */
  constructor(bin: string, body: string, first = '') {
    this.#folder = join(bin, 'calls');
    mkdirSync(this.#folder, { recursive: true });
    const path = join(bin, 'iperf3');
    writeFileSync(path, script(this.#folder, first, body));
    chmodSync(path, 0o755);
  }

  /** Its calls so far, in order. */
  calls(): Call[] {
    const count = readdirSync(this.#folder).filter((name) => name.startsWith('argv.')).length;
    return Array.from({ length: count }, (_, index) => {
      const read = (name: string): string | null => {
        const path = join(this.#folder, `${name}.${index}`);
        return existsSync(path) ? readFileSync(path, 'utf8') : null;
      };
      return {
        argv: (read('argv') ?? '').split('\0').slice(0, -1),
        password: read('password')?.trim() || null,
        key: read('key'),
        pid: Number(read('pid')),
      };
    });
  }
}

/** What iperf3 would print of a TCP test with this rate in bit/s, as far as an agent reads it. */
export const tcpOutput = (bits_per_second: number): string =>
  JSON.stringify({
    start: {},
    intervals: [],
    end: { sum_sent: { bits_per_second }, sum_received: { bits_per_second } },
  });

/** What is over at once. */
export const QUICK = 'echo measured';
