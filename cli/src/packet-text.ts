/** What becomes of UDP and everything else that is no TCP, line by line, in words. */
import type { DaemonStatus, PathPackets, PathStatus, SessionPackets } from '@tresse/schema';

import { showDelay, showRate, showShare, showSize } from './quantity.ts';
import { table } from './table.ts';

const stateWords: Readonly<Record<string, string>> = {
  carries: 'gets through',
  asking: 'no answer yet',
  silent: 'no answer any more',
};
/** Where packets ride a strand. */
const insteadWords = { open: undefined, blocked: 'blocked, goes by TCP', limited: 'held down, goes by TCP' } as const;
const classWords = { realtime: 'calls', interactive: 'what must not wait', bulk: 'transfers' } as const;
const classes = ['realtime', 'interactive', 'bulk'] as const;

/** The packet lane of every path as a table, then of every session in sentences. */
export function packetLines({ sessions, kind }: DaemonStatus): string[] {
  const rows = sessions.flatMap(({ peer, paths }) =>
    paths.flatMap((path) => (path.packets ? [pathRow(path, path.packets, kind === 'box' ? path.uplink : peer)] : [])),
  );
  const heads = [
    'PATH',
    kind === 'box' ? 'LINE' : 'BOX',
    'UDP',
    'RTT',
    'JITTER',
    'LOSS',
    'QUEUE',
    'ARRIVES',
    'LONGEST',
  ];
  return [
    ...(rows.length > 0 ? ['', ...table([[...heads, 'SENT'], ...rows])] : []),
    ...sessions.flatMap(({ peer, packets }) =>
      packets ? ['', ...sessionLines(packets, kind === 'box' ? '' : `${peer}: `)] : [],
    ),
  ];
}

function pathRow({ path, udp }: PathStatus, packets: PathPackets, whose = '-'): string[] {
  return [
    String(path),
    whose,
    insteadWords[udp] ?? stateWords[packets.state] ?? packets.state,
    showDelay(packets.rttMs),
    showDelay(packets.jitterMs),
    showShare(packets.lossRatio),
    showDelay(packets.queueMs),
    packets.deliveryBps > 0 ? showRate(packets.deliveryBps) : '-',
    `${packets.datagramBytesMax} B`,
    sharesOf(packets),
  ];
}

/** As `1 % calls, 99 % transfers of 30 MB`. */
function sharesOf({ bytesOut }: PathPackets): string {
  const sum = classes.reduce((total, kind) => total + bytesOut[kind], 0);
  if (sum === 0) return '-';
  const shares = classes.filter((kind) => bytesOut[kind] > 0);
  return `${shares.map((kind) => `${showShare(bytesOut[kind] / sum)} ${classWords[kind]}`).join(', ')} of ${showSize(sum)}`;
}

function sessionLines(packets: SessionPackets, whose: string): string[] {
  const { waiting, held, late, givenUp, doubled, copied, dropped, split } = packets;
  const kinds = classes.filter((kind) => waiting[kind] > 0);
  const waits = kinds.map((kind) => `${showSize(waiting[kind])} of ${classWords[kind]}`).join(', ');
  return [
    `${whose}${waits === '' ? 'No packets wait' : `${waits} waits`} for a line; ${count(dropped)} dropped that would have stood too long.`,
    `${whose}Order: ${count(held)} held back, ${count(late)} came too late for it, ${count(givenUp)} waited for in vain.`,
    `${whose}Copies: ${count(copied)} sent for safety, ${count(doubled)} that came twice dropped. In pieces, because a line takes no longer ones: ${count(split)}.`,
  ];
}

const count = (number: number): string => number.toLocaleString('en-GB');
