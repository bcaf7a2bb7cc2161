#!/bin/bash
# Fetches the rival of the stream lane, Debian's shadowsocks-libev, into .cache/rival. It is unpacked there and not installed:
# the package would start a service that listens on every address. Prints why where it cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/.cache/rival
package=shadowsocks-libev

[[ -x $into/usr/bin/ss-server && -x $into/usr/bin/ss-tunnel ]] && exit 0
say() { echo "$*" >&2; }
command -v apt-get >/dev/null || { say "$package is fetched from Debian or Ubuntu only."; exit 1; }
[[ $(id -u) == 0 ]] || { say "Root is needed to fetch $package."; exit 1; }

archives=$(mktemp -d)
log=$archives/log
trap 'rm -rf "$archives"' EXIT
mkdir -p "$archives/partial" "$into"
fetch() {
  apt-get -o DPkg::Lock::Timeout=60 -o Dir::Cache::archives="$archives" -o APT::Sandbox::User=root \
    install -y -qq --no-install-recommends --download-only "$package" >"$log" 2>&1
}
fetch || { timeout 60 apt-get update -qq >"$log" 2>&1 && fetch; } || {
  say "$package could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
  exit 1
}
for archive in "$archives"/*.deb; do dpkg-deb -x "$archive" "$into"; done
