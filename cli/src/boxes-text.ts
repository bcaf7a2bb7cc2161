import type { BoxesAnswer, KnownBox } from '@tresse/schema';

import { showAge } from './quantity.ts';
import { table } from './table.ts';

/** The boxes of a relay as a table for people. */
export function boxesText({ boxes, nowMs }: BoxesAnswer): string {
  if (boxes.length === 0) return 'This relay knows no box yet: let one in by "tresse relay pair".\n';
  const rows = boxes.map((box) => [box.name, box.pin, presence(box, nowMs), box.address ?? '-', origin(box)]);
  return `${table([['NAME', 'PIN', 'SEEN', 'FROM', ''], ...rows]).join('\n')}\n`;
}

function presence({ connected, connectedSinceMs, lastSeenMs }: KnownBox, nowMs: number): string {
  const ago = (thenMs: number): string => showAge(Math.max(0, nowMs - thenMs) / 1000);
  if (connected) return connectedSinceMs === undefined ? 'connected' : `connected for ${ago(connectedSinceMs)}`;
  return lastSeenMs === undefined ? 'never' : `${ago(lastSeenMs)} ago`;
}

function origin(box: KnownBox): string {
  return box.origin === 'configured' ? 'in relay.yaml' : '';
}
