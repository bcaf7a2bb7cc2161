import { UserError } from '@tresse/kit';

/** What one direction of an access line does to packets. Bytes are IP bytes: no Ethernet header, no preamble. */
export interface DirectionSpec {
  /** Bits per second of the transmitter, above 0. */
  readonly rateBps: number;
  /** Propagation delay, from the last bit sent to the arrival. */
  readonly delayMs: number;
  /** Added to the delay: wanders between 0 and this, order kept. */
  readonly jitterMs: number;
  /** Share of packets lost after they were sent, 0 to 1. */
  readonly lossRatio: number;
  /** What may wait for the transmitter, as time at the present rate; more is dropped at the tail. Large values are bufferbloat. */
  readonly queueMs: number;
  /** Share of packets that take a longer way, by `reorderMs`, so that later ones overtake them. None where absent. */
  readonly reorderRatio?: number;
  readonly reorderMs?: number;
  /** The largest packet that passes: larger ones vanish and nobody is told (a hole in the path's MTU). All pass where absent. */
  readonly holeBytes?: number;
}

/** Of an ordinary line: 100 ms of drop-tail queue, no jitter, no loss. */
export const plainDirection: Omit<DirectionSpec, 'rateBps' | 'delayMs'> = { jitterMs: 0, lossRatio: 0, queueMs: 100 };

/** Even the shortest queue of a real device holds two full packets; with less, a slow line could not reach its rate. */
const queueFloorBytes = 2 * 1_500;

/** Bytes that may wait for the transmitter. */
export function queueLimitBytes(spec: DirectionSpec): number {
  return Math.max(queueFloorBytes, (spec.rateBps * spec.queueMs) / 8_000);
}

/** The most IP bytes a direction can hold at once: waiting, in transmission and on the wire. */
export function heldBytesMax(spec: DirectionSpec): number {
  const onWireMs = spec.delayMs + spec.jitterMs + (spec.reorderMs ?? 0);
  return queueLimitBytes(spec) + (spec.rateBps * onWireMs) / 8_000 + queueFloorBytes;
}

/** Returns the spec. Throws UserError `LINK_SPEC` where a value cannot be. */
export function checkedSpec(spec: DirectionSpec): DirectionSpec {
  if (!(spec.rateBps > 0 && Number.isFinite(spec.rateBps)))
    wrong('rateBps', spec.rateBps, 'above 0 (cut the line instead)');
  for (const name of ['delayMs', 'jitterMs', 'queueMs', 'reorderMs', 'holeBytes'] as const) {
    const value = spec[name] ?? 0;
    if (!(value >= 0 && Number.isFinite(value))) wrong(name, value, '0 or more');
  }
  for (const name of ['lossRatio', 'reorderRatio'] as const) {
    const value = spec[name] ?? 0;
    if (!(value >= 0 && value <= 1)) wrong(name, value, 'between 0 and 1');
  }
  return spec;
}

function wrong(name: string, value: number, wanted: string): never {
  throw new UserError('LINK_SPEC', `${name} is ${value}, but must be ${wanted}`);
}
