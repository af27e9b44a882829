import { type Child, MARKED, markOf, type Shell, start } from './shell.ts';

/**
 * The agent's lock, and who cleans up after it. Takes the lock, ends what an earlier agent left running, says so, and waits for the end of
 * its stdin: however the agent ends, what it started ends too, and only then the lock is free.
 *
 * Found by a mark in the environment; what is looked for ends with a semicolon, as one may begin like another. mosquitto's clients get KILL at once:
 * after TERM they would say goodbye, and the last will would not be told. The others get TERM, and KILL within seconds.
 */
const LIFE = `${MARKED}state=$1
folder=$2
mine=$3
begins=$4
trap '' TERM INT HUP
finish() {
  for pid in $(marked "$1"); do
    read -r name </proc/$pid/comm || continue
    case $name in
    mosquitto*) kill -KILL $pid ;;
    *) kill $pid ;;
    esac
  done
  for turn in 1 2 3 4 5 6 7 8; do
    [ -n "$(marked "$1")" ] || return 0
    [ $turn -lt 6 ] || sleep 1
  done
  kill -KILL $(marked "$1")
  sleep 1
  [ -z "$(marked "$1")" ]
}
exec 2>/dev/null 9>"$state/lock"
flock -n 9 || exit
if [ -n "$begins" ]; then
  left=$(marked "$state;")
  finish "$state;" || exit
  for old in "$state"/run-*; do
    [ "$old" = "$folder" ] || rm -rf "$old"
  done
fi
echo ready $left
while read -r _; do :; done
finish "$mine"
rm -rf "$folder"
`;

export interface LifeListener {
  /** The lock is this agent's. `left`: pids of what an earlier agent had left running, or empty. */
  onReady: (left: string) => void;
  /** The lock is not this agent's, or no longer; or all has been cleaned up. */
  onEnd: () => void;
}

/** Takes the lock. `begins` with the agent; else this start already runs programs, which go on. */
export const startLife = (shell: Shell, begins: boolean, listener: LifeListener): Child => {
  const args = [shell.state, shell.folder, markOf(shell), begins ? 'begins' : ''];
  const onText = (text: string): void => listener.onReady(trim(substr(text, length('ready'))));
  return start(shell, { name: 'life', script: LIFE, args, fed: true, marked: false }, onText, listener.onEnd);
};
