/** The rival of the stream lane: shadowsocks-libev, its two ends pinned to the same core as box and relay. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '@tresse/sys';

import { cores, Pinned } from './pinned.ts';
import { at, netns } from './stage.ts';

const home = join(import.meta.dirname, '..');
const unpacked = join(home, '.cache/rival');
const serverPort = '8388';
/** What the LAN host dials in place of the server itself. */
export const rivalPort = 8389;

/** Settings printed with the table. */
export const rivalSettings = 'shadowsocks-libev (Debian), aes-256-gcm, ss-tunnel to ss-server';

/** Starts both ends, towards that port of the internet host. Returns undefined, and says why, where it cannot be had. */
export async function startRival(targetPort: number): Promise<{ near: Pinned; far: Pinned } | string> {
  try {
    await run([join(home, 'bench/packages.sh')], { timeoutMs: 120_000 });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (!existsSync(join(unpacked, 'usr/bin/ss-server'))) return 'shadowsocks-libev is not there';
  const libraries = globSync([`${unpacked}/usr/lib/*-linux-gnu`, `${unpacked}/lib/*-linux-gnu`]).join(':');
  const shared = ['-s', at.relay, '-p', serverPort, '-k', 'bench', '-m', 'aes-256-gcm', '-t', '60'];
  const program = (name: string, ns: string, ...more: string[]): Pinned =>
    new Pinned([join(unpacked, 'usr/bin', name), ...shared, ...more], {
      netns: ns,
      core: cores.measured,
      env: { LD_LIBRARY_PATH: libraries },
    });
  return {
    far: program('ss-server', netns.relay),
    near: program('ss-tunnel', netns.box, '-b', at.boxPlain, '-l', String(rivalPort), '-L', `${at.inet}:${targetPort}`),
  };
}
