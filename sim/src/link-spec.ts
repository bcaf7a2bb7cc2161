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
  return queueLimitBytes(spec) + (spec.rateBps * (spec.delayMs + spec.jitterMs)) / 8_000 + queueFloorBytes;
}

/** Returns the spec. Throws UserError `LINK_SPEC` where a value cannot be. */
export function checkedSpec(spec: DirectionSpec): DirectionSpec {
  if (!(spec.rateBps > 0 && Number.isFinite(spec.rateBps)))
    wrong('rateBps', spec.rateBps, 'above 0 (cut the line instead)');
  for (const name of ['delayMs', 'jitterMs', 'queueMs'] as const) {
    if (!(spec[name] >= 0 && Number.isFinite(spec[name]))) wrong(name, spec[name], '0 or more');
  }
  if (!(spec.lossRatio >= 0 && spec.lossRatio <= 1)) wrong('lossRatio', spec.lossRatio, 'between 0 and 1');
  return spec;
}

function wrong(name: string, value: number, wanted: string): never {
  throw new UserError('LINK_SPEC', `${name} is ${value}, but must be ${wanted}`);
}
