import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/*
 * The witness: a wrapper named `iperf3`, first on the PATH of agents, that proves what perfleet promises. It takes an exclusive
 * lock on host and port while the real iperf3 runs, and writes down when that began and ended. A second client on the same
 * server is refused, and leaves a line that fails whoever reads the record.
 */

/** bash, for $EPOCHREALTIME: microseconds without another process. iperf3 inherits the lock, so it is held while iperf3 lives. */
const SCRIPT = `#!/bin/bash
host= port=5201 before=
for argument in "$@"; do
  case $before in
    -c) host=$argument ;;
    -p) port=$argument ;;
  esac
  before=$argument
done
[ -n "$host" ] || exec "$WITNESS_IPERF3" "$@"
server=$host:$port
note() { echo "$1 $server $EPOCHREALTIME" >>"$WITNESS_FOLDER/record"; }
exec 9>"$WITNESS_FOLDER/$server.lock"
if ! flock -n 9; then
  note refused
  echo "iperf3: error - two clients on $server" >&2
  exit 99
fi
child= told=
trap 'told=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
note spawn
"$WITNESS_IPERF3" "$@" &
child=$!
[ -z "$told" ] || kill -TERM "$child"
# A signal ends "wait" early; 127 says that there is nothing more to wait for.
code=0
while :; do
  wait "$child"
  again=$?
  [ "$again" = 127 ] && break
  code=$again
  [ "$code" -gt 128 ] || break
done
note exit
exit $code
`;

const Line = z.tuple([z.enum(['spawn', 'exit', 'refused']), z.string(), z.coerce.number()]);

/** One line of the record. `at_ms` is milliseconds since 1970, with microseconds as fraction. */
export interface WitnessLine {
  what: 'spawn' | 'exit' | 'refused';
  server: string;
  at_ms: number;
}

/** Puts the wrapper into `folder`/bin and returns the environment that puts it first on a PATH. `iperf3` is the real program. */
export const installWitness = (folder: string, iperf3: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'iperf3'), SCRIPT, { mode: 0o755 });
  writeFileSync(join(folder, 'record'), '');
  return { ...env, PATH: `${bin}:${env['PATH'] ?? ''}`, WITNESS_FOLDER: folder, WITNESS_IPERF3: iperf3 };
};

/** What the witness has seen so far, in the order of time. */
export const readWitness = (folder: string): WitnessLine[] => {
  const lines = readFileSync(join(folder, 'record'), 'utf8').split('\n').filter(Boolean);
  return lines
    .map((line) => {
      const [what, server, at_s] = Line.parse(line.split(' '));
      return { what, server, at_ms: at_s * 1000 };
    })
    .sort((a, b) => a.at_ms - b.at_ms);
};

/** How busy the servers were. */
export interface SlotUse {
  /** Sum of spawn to exit over all clients, milliseconds. */
  busy_ms: number;
  /** From the end of one client to the spawn of the next on the same server, milliseconds. */
  gaps_ms: number[];
  last_exit_ms: number;
  /** Clients that found another one on their server: always 0. */
  refused: number;
}

/** Adds up a record. */
export const slotUse = (record: readonly WitnessLine[]): SlotUse => {
  const use: SlotUse = { busy_ms: 0, gaps_ms: [], last_exit_ms: 0, refused: 0 };
  const spawned = new Map<string, number>();
  const ended = new Map<string, number>();
  for (const { what, server, at_ms } of record) {
    if (what === 'refused') use.refused += 1;
    else if (what === 'spawn') {
      const end = ended.get(server);
      if (end !== undefined) use.gaps_ms.push(at_ms - end);
      spawned.set(server, at_ms);
    } else {
      use.busy_ms += at_ms - (spawned.get(server) ?? at_ms);
      use.last_exit_ms = Math.max(use.last_exit_ms, at_ms);
      ended.set(server, at_ms);
    }
  }
  return use;
};

/**
 * How well the servers were used. The makespan is from `began_ms`, when the runs were ordered (milliseconds since 1970), to the last exit
 * of iperf3; `slot_use` is Σ(spawn to exit of iperf3) ÷ (makespan × servers).
 */
export const usedShare = ({ busy_ms, last_exit_ms }: SlotUse, began_ms: number, servers: number) => {
  const makespan_ms = last_exit_ms - began_ms;
  return { makespan_s: makespan_ms / 1000, slot_use: busy_ms / (makespan_ms * servers) };
};
