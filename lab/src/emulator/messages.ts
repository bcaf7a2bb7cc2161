import type { DirectionSpec } from '@tresse/sim';

import type { DirectionCounters } from './direction.ts';
import type { UdpPolicy } from './udp-policer.ts';

/** Towards the box, or from it. */
export type DirectionName = 'down' | 'up';

/** A line as the worker gets it: devices opened, the main thread owns them. */
export interface WorkerLine {
  readonly boxFd: number;
  readonly operatorFd: number;
  readonly down: DirectionSpec;
  readonly up: DirectionSpec;
}

export interface WorkerData {
  readonly lines: readonly WorkerLine[];
  readonly seed: number;
}

/** What the worker is told; each is answered under its `id`. Lines by their place in the list. */
export type Command =
  | {
      readonly id: number;
      readonly act: 'set';
      readonly line: number;
      readonly direction: DirectionName;
      readonly change: Partial<DirectionSpec>;
    }
  | { readonly id: number; readonly act: 'police'; readonly line: number; readonly policy: UdpPolicy | undefined }
  | { readonly id: number; readonly act: 'cut' | 'restore'; readonly line: number }
  | { readonly id: number; readonly act: 'counters' };

/** The first comes unasked under id 0: the worker moves frames. */
export interface Answer {
  readonly id: number;
  /** CLOCK_MONOTONIC, when the command had been carried out. */
  readonly atMs: number;
  /** Only of the first: the worker's thread, for the scheduler. */
  readonly thread?: number;
  readonly counters?: readonly Record<DirectionName, DirectionCounters>[];
}
