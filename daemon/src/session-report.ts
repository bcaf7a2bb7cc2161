import type { PathStatus, SessionPackets, SessionStatus } from '@tresse/schema';

/** A path as an engine reports it: inwards and outwards are seen from that engine. */
interface EnginePath extends Omit<PathStatus, 'uplink' | 'rateDownBps' | 'rateUpBps' | 'strands'> {
  readonly uplink?: string;
  readonly rateInBps: number;
  readonly rateOutBps: number;
  readonly strands: readonly PathStatus['strands'][number][];
}

/** A session as an engine reports it. */
interface EngineSession {
  readonly peer: string;
  readonly streams: number;
  readonly paths: readonly EnginePath[];
  readonly packets?: SessionPackets;
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * A session for the local API: rates as a household counts them, down towards its LAN. `inwards` is what comes in at this
 * engine: `down` at a box, `up` at a relay. `peer` is how the other end is shown.
 */
export function reportSession(session: EngineSession, inwards: 'down' | 'up', peer: string): SessionStatus {
  return {
    peer,
    streams: session.streams,
    counters: { ...session.counters },
    ...(session.packets && { packets: session.packets }),
    paths: session.paths.map(({ rateInBps, rateOutBps, uplink, strands, ...rest }) =>
      Object.assign(rest, {
        strands: [...strands],
        rateDownBps: inwards === 'down' ? rateInBps : rateOutBps,
        rateUpBps: inwards === 'down' ? rateOutBps : rateInBps,
        ...(uplink !== undefined && { uplink }),
      }),
    ),
  };
}
