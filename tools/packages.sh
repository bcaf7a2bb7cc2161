#!/bin/bash
# Installs the Debian packages that building, running and testing Tresse need; does nothing where they are all there.
set -euo pipefail
say() { echo "$*" >&2; }

# libatomic1: the runtime does not start without it. mptcpize: lends kernel MPTCP to programs that know nothing of it.
# caddy, ngtcp2-client, openssl: a web server and a client of HTTP/3 in the lab, and the server's certificate.
wanted=(ca-certificates caddy conntrack curl iperf3 iproute2 iputils-ping libatomic1 mptcpize mtr-tiny nftables ngtcp2-client openssl procps)

command -v dpkg-query >/dev/null || {
  say "This is not Debian or Ubuntu: install these by your own package manager, then go on: ${wanted[*]}."
  exit 1
}
missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]} == 0)) && exit 0

[[ $(id -u) == 0 ]] || { say "Root is needed to install: ${missing[*]}."; exit 1; }
say "Installing ${missing[*]}."
export DEBIAN_FRONTEND=noninteractive
# The lab starts Caddy by itself, in a namespace; as a service it would take the machine's port 80.
if [[ -d /run/systemd/system && " ${missing[*]} " == *' caddy '* ]]; then
  systemctl --quiet --runtime mask caddy.service || true
  unmask() { systemctl --quiet --runtime unmask caddy.service && systemctl --quiet disable caddy.service || true; }
else
  unmask() { :; }
fi
log=$(mktemp)
trap 'rm -f "$log"; unmask' EXIT
for attempt in lists fresh-lists; do
  if [[ $attempt == fresh-lists ]] && ! apt-get -o DPkg::Lock::Timeout=120 update -qq >"$log" 2>&1; then
    say "The package lists could not be fetched: $(tail -n 1 "$log")"
    exit 1
  fi
  if apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    unmask
    # What asks the kernel through nft could not be asked before.
    exec "$(dirname "$0")/preflight.sh"
  fi
done
say "Installing ${missing[*]} failed: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
exit 1
