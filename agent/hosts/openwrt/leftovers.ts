import { ask, type Shell } from './shell.ts';

/** Ends what bears this agent's mark, TERM first, KILL after 2 s, and prints the pids. Itself, and who asks, do not bear it. */
const END = `mine=$1
marked() {
  for process in /proc/[0-9]*; do
    [ "\${process#/proc/}" != $$ ] && tr '\\0' '\\n' <$process/environ | grep -qxF "PERFLEET_STATE=$mine" &&
      ! grep -q '^State:.[ZX]' $process/status && echo "\${process#/proc/}"
  done
}
exec 2>/dev/null
first=$(marked)
[ -n "$first" ] || exit
echo $first
kill $first
for _ in 1 2 3; do
  [ -n "$(marked)" ] || exit
  sleep 1
done
kill -KILL $(marked)
sleep 1
`;

/** Ends what an earlier agent left running; the pids, or empty. Waits for it, 5 s at most. */
export const endLeftovers = (shell: Shell): string =>
  trim(ask({ state: '', lock_fd: shell.lock_fd }, END, [shell.state]));
