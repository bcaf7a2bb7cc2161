import { bytesText, rateText, shareText } from './figures.ts';

/** A visit of the internet host to a published port of the relay. */
export interface VisitFigures {
  readonly protocol: 'tcp' | 'udp';
  /** Of TCP: what came, and how long it took from the client's connect. */
  readonly bytes: number;
  readonly ms: number;
  readonly ofLines: number;
  /** Of UDP. */
  readonly sent: number;
  readonly answered: number;
  /** Whom the LAN host saw. */
  readonly seen: string;
}

/** For people. */
export function visitLines({ protocol, bytes, ms, ofLines, sent, answered, seen }: VisitFigures): string[] {
  const whom = seen === '' ? 'nobody got through' : `the LAN host saw ${seen}`;
  if (protocol === 'udp') return [`  ${answered} of ${sent} datagrams answered; ${whom}`];
  const rate =
    ms > 0 ? ` in ${ms.toFixed(0)} ms, ${rateText((bytes * 8_000) / ms)} (${shareText(ofLines)} of the lines)` : '';
  return [`  ${bytesText(bytes)}${rate}; ${whom}`];
}
