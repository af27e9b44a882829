#!/bin/sh
# perfleet-agent --config FILE: runs the agent, and lets it stop in order. ucode of OpenWrt 22.03 hears no signals: this hears them and ends the agent's
# stdin. So does the death of this process, however it comes. The exit code is the agent's.
umask 077
folder=$(mktemp -d /tmp/perfleet-stop.XXXXXX) && mkfifo "$folder/fifo" || exit 1
trap 'exec 3>&-' TERM INT HUP
"${UCODE:-ucode}" -- "${PERFLEET_AGENT:-/usr/lib/perfleet/perfleet-agent.uc}" "$@" <"$folder/fifo" 3>&- &
pid=$!
exec 3>"$folder/fifo"
rm -r "$folder"
while :; do
  wait $pid
  code=$?
  kill -0 $pid 2>/dev/null || exit $code
done
