/** What is known of a stream before its first byte, and the class that follows from it. */
import { StreamClass, type Target } from '../wire/frame.ts';

export interface StreamHints {
  /** DSCP of the LAN host's packets (RFC 2474), 0 to 63. */
  readonly dscp?: number;
  /** A number for the LAN host, 1 to 255: hosts take turns. */
  readonly host?: number;
  /** Whom the connection at the other end is to speak for: a published port's client. */
  readonly client?: Target;
}

/** Expedited and voice, signalling (RFC 4594). */
const realtimeDscps: ReadonlySet<number> = new Set([40, 44, 46, 48, 56]);
/** Low priority and high throughput: LE (RFC 8622), CS1, AF1x (RFC 4594). */
const bulkDscps: ReadonlySet<number> = new Set([1, 8, 10, 12, 14]);
/** Ports whose streams wait for a person or a call: DNS and DNS over TLS, SSH, telnet, RDP, VNC, SIP. */
const realtimePorts: ReadonlySet<number> = new Set([22, 23, 53, 853, 3_389, 5_060, 5_061, 5_900]);
/** Ports for which nobody waits: FTP's data, NNTP and over TLS, rsync, BitTorrent's first. */
const bulkPorts: ReadonlySet<number> = new Set([20, 119, 563, 873, 6_881]);

/**
 * How a stream begins: as its host marks its packets, else by its port. It is a wish, and holds for small ones: whatever sends much
 * at once is bulk.
 */
export function classOf(port: number, dscp: number): StreamClass {
  if (realtimeDscps.has(dscp)) return StreamClass.realtime;
  if (bulkDscps.has(dscp)) return StreamClass.bulk;
  if (dscp !== 0) return StreamClass.interactive;
  if (realtimePorts.has(port)) return StreamClass.realtime;
  return bulkPorts.has(port) ? StreamClass.bulk : StreamClass.interactive;
}
