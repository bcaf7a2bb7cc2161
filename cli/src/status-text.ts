import type { DaemonStatus, PathStatus, SessionStatus, UplinkStatus } from '@tresse/schema';

import { showAge, showDelay, showRate, showSize } from './quantity.ts';
import { table } from './table.ts';

/** A daemon's status as text for people. */
export function statusText(status: DaemonStatus): string {
  const lines = [
    `Tresse ${status.kind} ${status.version}, running for ${showAge(status.uptimeS)}: ${status.summary}.`,
    `Pin: ${status.pin}`,
    ...status.warnings.map((warning) => `Warning: ${warning}.`),
    ...(status.uplinks.length > 0 ? ['', ...uplinkTable(status.uplinks)] : []),
    ...(status.kind === 'relay' ? status.sessions.flatMap((session) => ['', ...sessionTable(session)]) : []),
    ...(status.kind === 'box' ? status.sessions.flatMap((session) => ['', streamsLine(session)]) : []),
    ...countersText(summed([status.counters, ...status.sessions.map((one) => one.counters)])),
  ];
  return `${lines.join('\n')}\n`;
}

const pathHeads = ['RTT', 'MIN', 'DOWN', 'UP', 'CARRIED', 'STRANDS'];

function pathCells(path: PathStatus | undefined): string[] {
  if (!path) return ['-', '-', '-', '-', '-', '-'];
  return [
    showDelay(path.rttMs),
    showDelay(path.minRttMs),
    showRate(path.rateDownBps),
    showRate(path.rateUpBps),
    showSize(path.bytesIn + path.bytesOut),
    String(path.strands.length),
  ];
}

function uplinkTable(uplinks: readonly UplinkStatus[]): string[] {
  return table([
    ['UPLINK', 'INTERFACE', 'ADDRESS', 'VERDICT', ...pathHeads, 'WHY'],
    ...uplinks.map((uplink) => [
      uplink.name,
      uplink.interface,
      uplink.address ?? '-',
      uplink.verdict,
      ...pathCells(uplink.path),
      uplink.direct ? `${uplink.reason}; what is not TCP leaves here` : uplink.reason,
    ]),
  ]);
}

function sessionTable(session: SessionStatus): string[] {
  return [
    `Box ${session.peer}: ${streamsLine(session)}`,
    ...table([
      ['PATH', 'STATE', ...pathHeads],
      ...session.paths.map((path) => [String(path.path), path.state, ...pathCells(path)]),
    ]),
  ];
}

function streamsLine(session: SessionStatus): string {
  return `${session.streams} ${session.streams === 1 ? 'stream' : 'streams'} open`;
}

function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counters of all) {
    for (const [name, count] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** Counters that are not zero, in words: names are camel case, with a dot after a group. */
function countersText(counters: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(counters)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => [`  ${words(name)}`, count.toLocaleString('en-GB')]);
  return rows.length === 0 ? [] : ['', 'Counted since the start:', ...table(rows)];
}

function words(name: string): string {
  return name
    .replaceAll('.', ': ')
    .replaceAll(/(?<=[a-z0-9])(?<capital>[A-Z])/gu, (letter) => ` ${letter.toLowerCase()}`);
}
