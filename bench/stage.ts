/**
 * The stage of what needs real processes: four namespaces in a row, joined by plain veth, no emulated line.
 *
 *     lan ── box ── relay ── inet
 *
 * The LAN host has two wires to the box. What takes the first is intercepted and braided; what takes the second is only
 * passed on: the same hops, without Tresse.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, writeSysctl } from '@tresse/sys';

import { inTurn } from './contest.ts';

/** The namespaces by what they stand for. */
export const netns: Readonly<Record<'lan' | 'box' | 'relay' | 'inet', string>> = {
  lan: 'tbe-lan',
  box: 'tbe-box',
  relay: 'tbe-relay',
  inet: 'tbe-inet',
};
const all = Object.values(netns);

/** Addresses of documentation and private ranges, as in the lab. */
export const at = {
  lan: '192.168.77.2',
  lanPlain: '192.168.78.2',
  boxPlain: '192.168.78.1',
  boxLine: '10.0.1.2',
  relayLine: '10.0.1.1',
  relay: '203.0.113.1',
  inet: '198.51.100.10',
} as const;

const patience = { timeoutMs: 20_000 };

const wires: readonly string[] = [
  ...all.map((name) => `netns add ${name}`),
  `link add eth0 netns ${netns.lan} type veth peer name lan0 netns ${netns.box}`,
  `link add eth1 netns ${netns.lan} type veth peer name plain0 netns ${netns.box}`,
  `link add wan1 netns ${netns.box} type veth peer name line netns ${netns.relay}`,
  `link add eth0 netns ${netns.relay} type veth peer name eth0 netns ${netns.inet}`,
];

const up = (device: string, cidr: string): string[] => [`address add ${cidr} dev ${device}`, `link set ${device} up`];

const hosts: Readonly<Record<keyof typeof netns, readonly string[]>> = {
  lan: [
    'link set lo up',
    ...up('eth0', `${at.lan}/24`),
    ...up('eth1', `${at.lanPlain}/24`),
    'route add default via 192.168.77.1',
    `route add default via ${at.boxPlain} table 78`,
    `rule add from ${at.lanPlain} lookup 78`,
  ],
  box: [
    'link set lo up',
    ...up('lan0', '192.168.77.1/24'),
    ...up('plain0', `${at.boxPlain}/24`),
    ...up('wan1', `${at.boxLine}/24`),
    `route add default via ${at.relayLine} dev wan1`,
  ],
  relay: [
    'link set lo up',
    `address add ${at.relay}/32 dev lo`,
    ...up('line', `${at.relayLine}/24`),
    ...up('eth0', '198.51.100.1/24'),
    `route add 192.168.76.0/22 via ${at.boxLine}`,
  ],
  inet: ['link set lo up', ...up('eth0', `${at.inet}/24`), 'route add default via 198.51.100.1'],
};

const settings: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
  'net.ipv4.tcp_rmem': '4096 131072 67108864',
  'net.ipv4.tcp_wmem': '4096 16384 67108864',
  'net.ipv4.tcp_no_metrics_save': '1',
};

async function batch(lines: readonly string[], inside?: string): Promise<void> {
  const argv = ['ip', ...(inside === undefined ? [] : ['-n', inside]), '-batch', '-'];
  await run(argv, { ...patience, input: `${lines.join('\n')}\n` });
}

/** Where logs and states of the run in progress are. */
let folderInUse: string | undefined;

/** Ends what runs in the bench's namespaces, and removes them: its own at the end, at the beginning what a dead run left. */
export async function sweepStage(): Promise<void> {
  await inTurn(
    all.filter((name) => existsSync(`/var/run/netns/${name}`)),
    async (name) => {
      const pids = (await run(['ip', 'netns', 'pids', name], patience)).split('\n').map(Number);
      for (const pid of pids) {
        try {
          if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself in between.
        }
      }
      await run(['ip', 'netns', 'delete', name], patience);
    },
  );
  if (folderInUse !== undefined) rmSync(folderInUse, { recursive: true, force: true });
  folderInUse = undefined;
}

/** Builds the stage, lets `play` use it with a folder for logs and states, and takes everything away. */
export async function onStage<R>(play: (folder: string) => Promise<R>): Promise<R> {
  await sweepStage();
  const folder = mkdtempSync(join(tmpdir(), 'tresse-bench-'));
  folderInUse = folder;
  try {
    await batch(wires);
    for (const name of all) for (const [key, value] of Object.entries(settings)) writeSysctl(key, value, name);
    await inTurn(Object.entries(hosts), ([role, lines]) => batch(lines, netns[role as keyof typeof netns]));
    return await play(folder);
  } finally {
    await sweepStage();
  }
}
