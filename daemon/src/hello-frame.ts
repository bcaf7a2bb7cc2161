import type { Duplex } from 'node:stream';

import { PeerError } from '@tresse/kit';
import { helloBytesMax } from '@tresse/schema';

const headerBytes = 4;

/** A message of a handshake as octets: length in 4 octets, big-endian, and JSON. */
export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/**
 * Reads one message. Returns the parsed JSON, not validated. Rejects with PeerError `FRAME_LENGTH` (none or more than 64 KiB),
 * `FRAME_JSON`, or `FRAME_CUT` when the stream ends before. What follows the message is not looked at.
 */
export function readFrame(stream: Duplex): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // Filled in place: a peer that sends octet by octet must not have everything copied each time.
    const header = Buffer.alloc(headerBytes);
    let body: Buffer | undefined;
    let filled = 0;
    const finish = (settle: () => void): void => {
      stream.off('data', take);
      stream.off('close', cut);
      stream.off('end', cut);
      settle();
    };
    const refuse = (code: string, sentence: string, cause?: unknown): void => {
      finish(() => reject(new PeerError(code, sentence, cause)));
    };
    const cut = (): void => refuse('FRAME_CUT', 'the connection was closed in the middle of the handshake');
    const take = (chunk: Buffer): void => {
      let at = 0;
      if (!body) {
        at = chunk.copy(header, filled);
        filled += at;
        if (filled < headerBytes) return;
        const length = header.readUInt32BE();
        if (length === 0 || length > helloBytesMax) {
          refuse('FRAME_LENGTH', `a handshake message of ${length} bytes is not allowed`);
          return;
        }
        body = Buffer.alloc(length);
        filled = 0;
      }
      filled += chunk.copy(body, filled, at);
      if (filled < body.length) return;
      try {
        const parsed: unknown = JSON.parse(body.toString('utf8'));
        finish(() => resolve(parsed));
      } catch (error) {
        refuse('FRAME_JSON', 'a handshake message is not JSON', error);
      }
    };
    stream.on('data', take);
    stream.on('close', cut);
    stream.on('end', cut);
    if (stream.destroyed) cut();
  });
}
