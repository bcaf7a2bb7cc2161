#!/bin/sh
# A machine of its own within this one, in the network namespace it is started in: everything of the file system that is
# written lands in a layer that goes away with it, and the repository lies in /root/tresse. Reads commands from standard
# input. Arguments: a folder to mount it in, the repository, the folder of the stand-ins for what it lacks.
set -eu
folder=$1 repository=$2 stand_ins=$3

mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
cd "$folder"
mkdir upper work root own own-work
mount -t overlay overlay -o "lowerdir=/,upperdir=upper,workdir=work" root
mkdir -p root/root/tresse
mount -t overlay overlay -o "lowerdir=$repository,upperdir=own,workdir=own-work" root/root/tresse
mount -t proc proc root/proc
mount -t sysfs sysfs root/sys
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
mkdir -p root/run/systemd/system root/run/written root/run/below root/run/stand-ins
mount --bind upper root/run/written
mount --bind / root/run/below
cp "$stand_ins/systemctl" root/run/stand-ins/
# What make would fetch is there: a walk has no network but its own.
touch root/root/tresse/runtime/node_modules/.stamp root/root/tresse/node_modules/.stamp
exec env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
  PATH=/run/stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  chroot root sh -c 'cd /root && exec bash --norc --noprofile'
