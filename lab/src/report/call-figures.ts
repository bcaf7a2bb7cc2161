import { shareText } from './figures.ts';

/** One direction of a call, on idle lines or beside what fills them. */
export interface CallWay {
  readonly sent: number;
  readonly lost: number;
  /** One way, in the median and for 99 %; null where nothing came. */
  readonly delayMsMedian: number | null;
  readonly delayMsP99: number | null;
  /** Of interarrival (RFC 3550), at its largest. */
  readonly jitterMs: number;
  /** The longest time without a packet. */
  readonly gapMs: number;
  readonly doubled: number;
}

/** A call on idle lines, and the same beside what fills them. */
export interface CallFigures {
  readonly idle: { readonly down: CallWay; readonly up: CallWay };
  readonly loaded: { readonly down: CallWay; readonly up: CallWay };
  /** What went beside the second, while it lasted. */
  readonly beside: readonly BesideFigures[];
  /** Handshakes the box made meanwhile; null where it did not tell. */
  readonly handshakes: number | null;
}

/** A transfer beside a call, from the call's first packet to its last. */
export interface BesideFigures {
  readonly kind: 'download' | 'upload';
  readonly stallMsMax: number;
  /** Null where the lines alone were not measured. */
  readonly ofSum: number | null;
}

/** For people. */
export function callLines({ idle, loaded, beside, handshakes }: CallFigures): string[] {
  return [
    `  idle, down: ${wayText(idle.down)}`,
    `  idle, up: ${wayText(idle.up)}`,
    `  loaded, down: ${wayText(loaded.down)}`,
    `  loaded, up: ${wayText(loaded.up)}`,
    ...beside.map(
      ({ kind, stallMsMax, ofSum }) =>
        `  the ${kind} meanwhile: ${shareText(ofSum)} of the sum, longest stall ${stallMsMax.toFixed(0)} ms`,
    ),
    ...(handshakes ? [`  ${handshakes} handshakes were made`] : []),
  ];
}

const ms = (value: number | null): string => (value === null ? '-' : value.toFixed(1));

function wayText(of: CallWay): string {
  return (
    `${of.lost} of ${of.sent} lost, ${ms(of.delayMsMedian)} ms in the median, ${ms(of.delayMsP99)} ms for 99 %, ` +
    `jitter ${of.jitterMs.toFixed(1)} ms, longest gap ${of.gapMs.toFixed(0)} ms, ${of.doubled} came twice`
  );
}
