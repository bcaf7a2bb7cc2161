import type { DirectionName } from '../emulator/index.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import type { TransferOrder } from './transfer.ts';
import type { UploadFiles } from './upload-files.ts';

/** How much a transfer carries, or how long it lasts. */
export type Extent = Pick<TransferOrder, 'bytes' | 'secondsMax' | 'file'>;

interface Source {
  readonly lines: readonly LineSpec[];
  readonly uploads: UploadFiles;
}

/** As much as goes over the lines in this time. */
export function timed({ lines, uploads }: Source, direction: DirectionName, seconds: number): Extent {
  const rateBps = lines.reduce((sum, line) => sum + line[direction].rateBps, 0);
  // One and a half times what all lines carry together never ends too early; queues and buffers take a little too.
  const bytes = Math.ceil((rateBps / 8) * seconds * 1.5) + 1_000_000;
  return { bytes, secondsMax: seconds, ...(direction === 'up' ? { file: uploads.of(bytes) } : {}) };
}

/** All of these bytes. */
export function whole({ uploads }: Source, kind: TransferOrder['kind'], bytes: number): Extent {
  return { bytes, ...(kind === 'upload' ? { file: uploads.of(bytes) } : {}) };
}
