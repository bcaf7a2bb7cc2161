#!/bin/sh
# Puts a copy of Tresse with its runtime under $PREFIX, its unit files beside it, and the command into the path. Run by
# `make install`, which sees that everything needed is there. What is there of an earlier version is replaced; configuration
# and identity (/var/lib/tresse) are never touched.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/opt/tresse}
units=${UNITS:-/etc/systemd/system}
bin=${BIN:-/usr/local/bin}
root=${DESTDIR:-}
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "Tresse runs on x86-64 and arm64." >&2; exit 1 ;; esac
node=runtime/node_modules/node-linux-$arch/bin/node

cd "$here"
# Whole beside its place first: a daemon that starts meanwhile finds the old or the new one.
new=$root$prefix.new
rm -rf "$new"
mkdir -p "$new" "$root$units" "$root$bin"
{
  for room in kit core schema plan sys engine daemon box relay cli; do echo "$room/src" "$room/package.json"; done
  echo bin/tresse packaging package.json LICENSE README.md CHANGELOG.md docs "$node"
  "./$node" packaging/production-modules.ts
} | tr ' ' '\n' | tar --create --exclude=docs/test --files-from=- | tar --extract --directory="$new" --no-same-owner
for name in tresse-box tresse-relay; do
  sed "s|/opt/tresse|$prefix|g" "packaging/systemd/$name.service" > "$root$units/$name.service"
done
rm -rf "$root$prefix"
mv "$new" "$root$prefix"
ln -sf "$prefix/bin/tresse" "$root$bin/tresse"
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
echo "Installed in $prefix; the command is $bin/tresse."
