import type { DaemonStatus, PathStatus } from '@tresse/schema';

import { packetLines } from './packet-text.ts';
import { showDelay, showSize } from './quantity.ts';
import { table } from './table.ts';

/** What `status --details` adds, as lines: the pin, addresses, every path's figures, and what was counted. */
export function detailLines(status: DaemonStatus): string[] {
  const paths = status.sessions.flatMap((session) => session.paths);
  return [
    '',
    `Version ${status.version}, pin ${status.pin}`,
    ...(status.uplinks.length > 0 ? ['', ...uplinkRows(status)] : []),
    ...(paths.length > 0 ? ['', ...pathRows(status)] : []),
    ...packetLines(status),
    ...counterLines([status.counters, ...status.sessions.map((one) => one.counters)]),
  ];
}

function uplinkRows({ uplinks }: DaemonStatus): string[] {
  return table([
    ['LINE', 'KIND', 'INTERFACE', 'ADDRESS', 'GATEWAY'],
    ...uplinks.flatMap((one) => {
      const [first, ...more] = one.addresses;
      return [
        [one.name, one.kind, one.interface, first?.address ?? '-', first?.gateway ?? '-'],
        ...more.map(({ address, gateway = '-' }) => ['', '', '', address, gateway]),
      ];
    }),
  ]);
}

function pathRows({ sessions, kind }: DaemonStatus): string[] {
  return table([
    ['PATH', kind === 'box' ? 'LINE' : 'BOX', 'STATE', 'MIN RTT', 'CARRIED', 'SUSPECTED', 'STRANDS'],
    ...sessions.flatMap((session) =>
      session.paths.map((path) => [
        String(path.path),
        kind === 'box' ? (path.uplink ?? '-') : session.peer,
        path.state,
        showDelay(path.minRttMs),
        showSize(path.bytesIn + path.bytesOut),
        String(path.suspicions),
        strandWords(path),
      ]),
    ),
  ]);
}

/** As `1 quick, 2 bulk`. */
function strandWords({ strands }: PathStatus): string {
  const roles = [...new Set(strands.map((strand) => strand.role))];
  return roles.map((role) => `${strands.filter((strand) => strand.role === role).length} ${role}`).join(', ') || '-';
}

/** Counters that are not zero, summed, in words: names are camel case, with a dot after a group. */
function counterLines(all: readonly Readonly<Record<string, number>>[]): string[] {
  const sums: Record<string, number> = {};
  for (const counters of all) {
    for (const [name, count] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + count;
  }
  const rows = Object.entries(sums)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => [`  ${words(name)}`, count.toLocaleString('en-GB')]);
  return rows.length === 0 ? [] : ['', 'Counted since the start:', ...table(rows)];
}

function words(name: string): string {
  return name
    .replaceAll('.', ': ')
    .replaceAll(/(?<=[a-z0-9])(?<capital>[A-Z])/gu, (letter) => ` ${letter.toLowerCase()}`);
}
