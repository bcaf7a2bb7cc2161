import { setTimeout as sleep } from 'node:timers/promises';

import { type PeerMessage, peerMessage } from '@tresse/schema';

/** Time for the last record to arrive before the connections are reset, ms: a household's slowest round trip. */
const travelMs = 150;

/** What the other daemon said, or undefined where the bytes are nothing this version knows. Never throws for a peer's bytes. */
export function readPeerMessage(bytes: Uint8Array): PeerMessage | undefined {
  try {
    return peerMessage.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** A message as the other daemon reads it. */
export function writePeerMessage(message: PeerMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

/**
 * Tells the other end of every session that this one stops, so that its streams end at once instead of waiting for a line
 * that will not come back. Resolves when the message had time to travel.
 */
export async function sayGoodbye(engine: { tellPeers(bytes: Uint8Array): void }, reason: string): Promise<void> {
  engine.tellPeers(writePeerMessage({ kind: 'bye', reason }));
  await sleep(travelMs);
}
