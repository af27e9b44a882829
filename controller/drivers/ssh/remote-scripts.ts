import { GUARD } from '../../../agent/iperf3/guard.ts';
import { quote } from './quote.ts';

/**
 * What is run on a device: POSIX sh, for BusyBox ash and dash, with the programs that every router has (cat, mkdir, ping, rm, sleep).
 * The texts are fixed; whatever differs comes as an argument, or on stdin if it is secret.
 *
 * Every process of ours has PERFLEET_STATE in its environment: our folder on the device, and a slash, so that no name is the beginning of
 * another. So the next session finds what is left of this one, as the agent does on a device of its own.
 */

/** Our folder on a device. In RAM on a router; one for each name that the device has here. */
export const folderOf = (device: string): string => `/tmp/perfleet-ssh-${device}`;

/**
 * Ends all that is ours: TERM, KILL two seconds later. Fails when something is still there after four. `read` leaves out the NULs of an environment,
 * at which BusyBox's `grep` stops; it reads byte by byte, but a router's processes have little in theirs.
 */
const END = `left() {
  for file in /proc/[0-9]*/environ; do
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in *"PERFLEET_STATE=$folder/"*) echo "$file" && break ;; esac
    done <"$file"
  done 2>/dev/null
}
end() {
  signal=TERM
  for wait in 1 2 3 4; do
    found=$(left)
    [ -n "$found" ] || return 0
    for file in $found; do
      pid=\${file#/proc/}
      kill -$signal \${pid%/*} 2>/dev/null
    done
    sleep 1
    [ $wait = 1 ] || signal=KILL
  done
  [ -z "$(left)" ]
}
folder=$1
`;

/** `sh -c END_ALL perfleet FOLDER`: exit code 0 when nothing of ours is left. */
export const END_ALL = `${END}end`;

/**
 * `sh -c ENTER perfleet FOLDER`: ends what an earlier session left, makes our folder and tries whether it can be written. Says what is wrong,
 * or the machine's uptime in seconds. Where our folder is not there nothing of ours has run since the machine started.
 */
export const ENTER = `${END}umask 077
[ ! -e "$folder" ] || end || { echo "processes of an earlier session do not end:" $(left); exit 1; }
mkdir "$folder" 2>/dev/null
[ -d "$folder" ] && [ ! -h "$folder" ] && [ -O "$folder" ] || { echo "$folder cannot be made, or is not ours"; exit 1; }
rm -f "$folder/server-key.pem"
{ echo 1234567890 >"$folder/iperf3.pid"; } 2>&1 || { echo "$folder cannot be written"; exit 1; }
true >"$folder/iperf3.pid"
read -r uptime _ </proc/uptime
echo $uptime
`;

/** What LOOK gives each program, in seconds: BusyBox's `ping` waits ten for a resolver that is silent. */
export const PROGRAM_LIMIT_S = 3;

const ANY4 = '0'.repeat(8);
const ANY6 = '0'.repeat(32);

/**
 * `sh -c LOOK perfleet FOLDER HOST SECONDS`: what a `check` asks for, in sections that begin with `== name`. HOST is to be resolved if it is not
 * empty: `ping` is what every router has for that. With SECONDS, the counters of all interfaces with a default route are shown twice, so far apart;
 * of the routes only those are shown, as a router may have thousands. A program that takes too long is killed, and a section `NAME-late` is the last.
 * What waits to kill it is itself killed when there is no need, but for its `sleep`.
 */
export const LOOK = `export PERFLEET_STATE="$1/"
limited() {
  name=$1
  shift
  echo "== $name"
  "$@" </dev/null 2>&1 &
  program=$!
  { sleep ${PROGRAM_LIMIT_S}; kill -KILL $program; } </dev/null >/dev/null 2>&1 &
  wait $program
  code=$?
  kill -KILL $! 2>/dev/null
  [ $code != 137 ] || { echo; echo "== $name-late"; exit 0; }
}
counters() {
  cat /proc/uptime
  while read -r line; do
    case $names in *" \${line%%:*} "*) echo "$line" ;; esac
  done </proc/net/dev
}
limited version iperf3 --version
[ -z "$2" ] || limited ping ping -c 1 -W 1 "$2"
[ -n "$3" ] || exit 0
names=" "
echo "== route"
while read -r name to rest; do
  [ "$to" != ${ANY4} ] || { echo "$name $to $rest"; names="$names$name "; }
done </proc/net/route
echo "== route6"
while read -r to length rest; do
  [ "$to/$length" != ${ANY6}/00 ] || { echo "$to $length $rest"; names="$names\${rest##* } "; }
done </proc/net/ipv6_route
echo "== before"
counters
sleep $3
echo "== after"
counters
exit 0
`;

/**
 * In front of the guard, for iperf3 with authentication. On stdin: the password, the lines of the server's public key, a dot. The key is in a file
 * that has no name any more before iperf3 begins, so nothing is left of it whatever happens; iperf3 reads it twice, as KEY_PATH.
 */
const SECRETS = `IFS= read -r IPERF3_PASSWORD || exit 0
export IPERF3_PASSWORD
text=
while IFS= read -r line && [ "$line" != . ]; do
  text="$text$line
"
done
[ "$line" = . ] || exit 0
umask 077
file=\${1%/*}/server-key.pem
{ printf '%s' "$text" >"$file" && exec 5<"$file"; } || { rm -f "$file"; echo "perfleet: $file cannot be written" >&2; exit 1; }
rm "$file"
`;

/** Where iperf3 finds the server's public key. */
export const KEY_PATH = '/proc/self/fd/5';

/** The command line of `sh -c script` with these arguments, for the login shell. */
export const command = (script: string, ...args: string[]): string => quote(['sh', '-c', script, 'perfleet', ...args]);

/** The command line of a guard that waits, for the login shell. With `secrets`, those come first on its stdin. */
export const guardCommand = (folder: string, argv: readonly string[], secrets: boolean): string =>
  `export ${quote([`PERFLEET_STATE=${folder}/`])}; exec ${command(
    secrets ? `${SECRETS}${GUARD}` : GUARD,
    `${folder}/iperf3.pid`,
    'iperf3',
    ...argv,
  )}`;
