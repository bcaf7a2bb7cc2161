/** The rival of the stream lane: shadowsocks-libev, its two ends pinned to the same core as box and relay. */
import { cores, Pinned } from './pinned.ts';
import { fetchRivals } from './rival-packages.ts';
import { at, netns } from './stage.ts';

const serverPort = '8388';
/** What the LAN host dials in place of the server itself. */
export const rivalPort = 8389;

/** Settings printed with the table. */
export const rivalSettings = 'shadowsocks-libev (Debian), aes-256-gcm, ss-tunnel to ss-server';

/** Starts both ends, towards that port of the internet host. Returns why where it cannot be had. */
export async function startRival(targetPort: number): Promise<{ near: Pinned; far: Pinned } | string> {
  try {
    const { program, env } = await fetchRivals('shadowsocks-libev');
    const shared = ['-s', at.relay, '-p', serverPort, '-k', 'bench', '-m', 'aes-256-gcm', '-t', '60'];
    const start = (name: string, ns: string, ...more: string[]): Pinned =>
      new Pinned([program(`usr/bin/${name}`), ...shared, ...more], { netns: ns, core: cores.measured, env });
    return {
      far: start('ss-server', netns.relay),
      near: start('ss-tunnel', netns.box, '-b', at.boxPlain, '-l', String(rivalPort), '-L', `${at.inet}:${targetPort}`),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
