#!/bin/sh
# install.sh ucode|node FOLDER: puts the files of a package there, as files.list says.
set -e
cd "$(dirname "$0")/../../../.."
while read -r build mode path source; do
	case "$build" in both | "$1") ;; *) continue ;; esac
	if [ -z "$source" ]; then
		install -d -m "$mode" "$2$path"
		continue
	fi
	[ -f "$source" ] || { echo "$PWD/$source is missing: run \`npm run build\` there first" >&2; exit 1; }
	install -d -m 755 "$2$(dirname "$path")"
	install -m "$mode" "$source" "$2$path"
done <packaging/openwrt/files.list
