import { each } from '../../core/each.ts';
import { type Child, type Shell, start } from './shell.ts';

/**
 * mosquitto_sub, and what it says, a file a line: ucode of 22.03 cannot read a pipe without either waiting or losing something. A file is
 * whole when it ends with a newline. At the end of stdin mosquitto_sub is
 * killed: at TERM it would say goodbye, and its last will would not be told.
 */
const LISTEN = `in=$1
shift
n=0
exec 3<&0 </dev/null
{
  mosquitto_sub "$@" 2>&1 3<&- &
  sub=$!
  echo $sub >"$in/pid"
  { while read -r _; do :; done; kill -KILL $sub; } <&3 3<&- >/dev/null 2>&1 &
  reader=$!
  wait $sub
  kill -KILL $reader
} | while IFS= read -r line; do
  n=$((n + 1))
  printf '%s\\n' "$line" >"$in/$n"
  echo
done
`;

export interface Listener {
  onMessage: (topic: string, payload: unknown) => void;
  onProblem: (text: string) => void;
  onEnd: () => void;
}

const readJson = (text: string): unknown => {
  try {
    return json(text);
  } catch (_) {
    return null;
  }
};

interface Said {
  topic: string;
  payload: string;
  payloadlen: number;
}

const onSaid = (line: string, listener: Listener): void => {
  if (index(line, '{') !== 0) return listener.onProblem(line);
  const said = readJson(line) as Said | null;
  if (said == null || type(said.topic) !== 'string' || type(said.payload) !== 'string')
    return listener.onProblem('message dropped: not UTF-8');
  if (length(said.payload) !== said.payloadlen)
    return listener.onProblem(`message on ${said.topic} dropped: it has a NUL byte`);
  const payload = readJson(said.payload);
  if (payload == null) return listener.onProblem(`message on ${said.topic} dropped: not UTF-8 JSON`);
  listener.onMessage(said.topic, payload);
};

/** Its sockets, by their numbers: with each connection they are others. It says nothing itself when it has connected. */
export const socketsOf = (shell: Shell): string => {
  const pid = trim(fs.readfile(`${shell.state}/in/pid`) ?? '');
  const folder = `/proc/${pid}/fd`;
  return join(
    ' ',
    map(fs.lsdir(folder) ?? [], (name) => fs.readlink(`${folder}/${name}`) ?? ''),
  );
};

/** Starts mosquitto_sub with `args`. What it says is told one at a time, in order. */
export const listen = (shell: Shell, args: string[], listener: Listener): Child => {
  const folder = `${shell.state}/in`;
  fs.mkdir(folder, 448);
  each(fs.lsdir(folder) ?? [], (name) => fs.unlink(`${folder}/${name}`));
  const at = { next: 1 };
  const onLine = (): void => {
    while (true) {
      const path = `${folder}/${at.next}`;
      const text = fs.readfile(path) ?? '';
      if (substr(text, length(text) - 1) !== '\n') return;
      fs.unlink(path);
      at.next += 1;
      onSaid(trim(text), listener);
    }
  };
  const onEnd = (): void => {
    onLine();
    listener.onEnd();
  };
  return start(shell, 'sub', LISTEN, [folder, ...args], onLine, onEnd);
};
