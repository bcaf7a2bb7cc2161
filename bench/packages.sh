#!/bin/bash
# Fetches rivals, Debian packages named as arguments, into .cache/rival. They are unpacked there and not installed:
# installing them would start services. Prints why where one cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/.cache/rival
missing=()
for package; do [[ -e $into/.$package ]] || missing+=("$package"); done
[[ ${#missing[@]} == 0 ]] && exit 0

say() { echo "$*" >&2; }
command -v apt-get >/dev/null || { say "${missing[*]}: fetched from Debian or Ubuntu only."; exit 1; }
[[ $(id -u) == 0 ]] || { say "Root is needed to fetch ${missing[*]}."; exit 1; }

archives=$(mktemp -d)
log=$archives/log
trap 'rm -rf "$archives"' EXIT
mkdir -p "$archives/partial" "$into"
fetch() {
  apt-get -o DPkg::Lock::Timeout=60 -o Dir::Cache::archives="$archives" -o APT::Sandbox::User=root \
    install -y -qq --no-install-recommends --download-only "${missing[@]}" >"$log" 2>&1
}
fetch || { timeout 60 apt-get update -qq >"$log" 2>&1 && fetch; } || {
  say "${missing[*]} could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
  exit 1
}
for archive in "$archives"/*.deb; do dpkg-deb -x "$archive" "$into"; done
for package in "${missing[@]}"; do touch "$into/.$package"; done
