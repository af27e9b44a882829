/**
 * The guard: the one way in which iperf3 is started, on every host and over SSH.
 *
 *     sh -c "$GUARD" guard PIDFILE iperf3 ARGUMENT…
 *
 * It waits for one line on its stdin: LIMIT_S, a whole number. So it can be there, all set, before the slot is free. At the end of stdin
 * without that line it ends, and has done nothing. Over a network the line may come late, so a second number may follow: it begins only
 * while the machine's uptime in seconds is below LATEST_S, else it ends with exit code 75.
 *
 * With the line it begins. It writes iperf3's pid to PIDFILE before exec, and empties the file afterwards. iperf3 is told to end (TERM),
 * and killed two seconds later, when the guard's stdin reaches its end and when the guard gets TERM, INT or HUP; and LIMIT_S seconds (at
 * least 3) after the line it is dead at the latest, told two seconds before. The exit code is iperf3's. The guard is there as long as
 * iperf3 is; if the guard itself is killed, the end of stdin still ends iperf3. Nothing is left running after it but, when iperf3 was told
 * to end, a `sleep` of two seconds.
 *
 * POSIX sh and `sleep`, nothing else: it runs in dash and in BusyBox ash, whose PATH has no `timeout` or `setsid`. Values of a plan reach
 * it only as arguments. Four processes beside it:
 * - `nap` sleeps until it is time to tell iperf3 to end. The guard waits for its end: by itself (the limit), killed by the trap (a
 *   signal), or killed by the runner (iperf3 has ended). A signal that comes just before `wait` is so never missed.
 * - `reader` waits for the end of stdin.
 * - `runner` waits for iperf3. It outlives the signals that iperf3 gets.
 * - `killer`, from the moment iperf3 is told to end: TERM, and KILL two seconds later.
 * From the line to iperf3, and from its end to the guard's, a server is idle: there is no program to be started in between, as `rm` would
 * be, and a subshell reads its own pid from /proc, as `$$` is the guard's.
 * Helpers are only ever killed with KILL: TERM, sent to a shell that has just forked and had a trap set, can be lost. They hold neither
 * stdout nor stderr, or the caller would wait for them. stderr is iperf3's alone, not for the shell's "Killed": the runner would die of
 * that (SIGPIPE) when the caller has died. So it starts iperf3 in a subshell, as dash redirects a plain command's stderr in itself.
 * A pid can be used again: only a process of the guard's own group gets a signal (field 5 of /proc/PID/stat, the third after the name).
 */
export const GUARD = `set -f
pidfile=$1
shift
told=
nap=
code=
killer=
exec 3<&0 </dev/null
group() {
  rest=
  { IFS=')' read -r _ rest </proc/$1/stat; } 2>/dev/null
  set -- $rest
  found=$3
}
send() {
  group $2
  [ "$found" = "$own" ] && kill -$1 $2 2>/dev/null
}
stop() {
  for _ in 1 2 3; do
    { read -r pid <"$pidfile"; } 2>/dev/null && break
    sleep 1
  done
  send TERM $pid && sleep 2 && send KILL $pid
}
group $$
own=$found
read -r limit latest <&3 || exit 0
if [ -n "$latest" ]; then
  IFS=. read -r up _ </proc/uptime
  [ "$up" -lt "$latest" ] || { echo "perfleet: not started: the word to start came too late" >&2; exit 75; }
fi
{ true >"$pidfile"; } 2>/dev/null
trap 'told=1; [ -z "$nap" ] || send KILL $nap' TERM INT HUP
sleep $((limit > 2 ? limit - 2 : 0)) >/dev/null 2>&1 3<&- &
nap=$!
[ -z "$told" ] || send KILL $nap
{
  trap : TERM INT HUP
  (exec 2>&4 4>&- && read -r pid _ </proc/self/stat && echo $pid >"$pidfile" && exec "$@")
  code=$?
  { true >"$pidfile"; } 2>/dev/null
  send KILL $nap
  exit $code
} 3<&- 4>&2 2>/dev/null &
runner=$!
{ while read -r _; do :; done; stop; } <&3 3<&- >/dev/null 2>&1 &
reader=$!
{ wait $nap; } 2>/dev/null
if [ $? != 137 ] || [ -n "$told" ]; then
  stop >/dev/null 2>&1 3<&- &
  killer=$!
fi
while :; do
  told=
  { wait $runner; } 2>/dev/null
  last=$?
  [ $last = 127 ] && [ -n "$code" ] || code=$last
  [ -n "$told" ] || break
done
[ ! -s "$pidfile" ] || stop >/dev/null 2>&1
kill -KILL $reader $killer 2>/dev/null
exit $code
`;
