#!/bin/sh
# Stops the daemons and removes what install.sh has put there. Configuration and identity stay, and it says where they are.
set -eu

prefix=${PREFIX:-/opt/tresse}
units=${UNITS:-/etc/systemd/system}
bin=${BIN:-/usr/local/bin}
root=${DESTDIR:-}

for name in tresse-box tresse-relay; do
  [ -e "$root$units/$name.service" ] || continue
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl disable --now --quiet "$name"; fi
  rm -f "$root$units/$name.service"
done
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
[ "$(readlink "$root$bin/tresse")" != "$prefix/bin/tresse" ] || rm -f "$root$bin/tresse"
rm -rf "$root$prefix" "$root/var/cache/tresse"
echo "Removed $prefix."
[ ! -d "$root/var/lib/tresse" ] || echo "Identity and configuration are still in /var/lib/tresse: remove them by \"rm -r /var/lib/tresse\"."
