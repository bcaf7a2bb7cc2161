import { portName, type PublishedPortStatus } from '@tresse/schema';

import { table } from './table.ts';

/** Public ports as a table for people, its head first; no lines where there are none. */
export function publishedRows(ports: readonly PublishedPortStatus[]): string[] {
  if (ports.length === 0) return [];
  const hasBoxes = ports.some((one) => one.box !== undefined);
  return table([
    ['PUBLISHED', ...(hasBoxes ? ['BOX'] : []), 'HOST', 'CLIENTS', 'STATE'],
    ...ports.map((one) => [
      portName(one.protocol, one.port),
      ...(hasBoxes ? [one.box ?? '-'] : []),
      one.to.join(', '),
      one.from.length === 0 ? 'any' : one.from.join(', '),
      stateOf(one),
    ]),
  ]);
}

function stateOf({ works, reason, streams = 0 }: PublishedPortStatus): string {
  if (!works) return `not reached: ${reason}`;
  return streams === 0 ? reason : `${reason}, ${streams} connected`;
}
