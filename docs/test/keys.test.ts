/** The vectors of docs/protocol.md that engine and daemon must meet: exported keys, keys of a strand, the sealed wire. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { encodeFrame } from '../../daemon/src/hello-frame.ts';
import { exportKeys } from '../../daemon/src/tls-settings.ts';
import { packetKeys } from '../../engine/src/worker/packet-keys.ts';
import { strandKeys } from '../../engine/src/worker/strand-keys.ts';
import { readPairingCode, writePairingCode } from '../../schema/src/index.ts';
import { bestAead, nativeSlab } from '../../sys/src/index.ts';

const text = readFileSync(new URL('../protocol.md', import.meta.url), 'utf8');

function vector(name: string): Record<string, string> {
  const block = new RegExp(`^\`\`\`vector ${name}\n(?<lines>[^\`]+)\`\`\`$`, 'mu').exec(text)?.groups?.['lines'] ?? '';
  const lines = block.trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' = ').map((part) => part.trim()) as [string, string]));
}

const bytesOf = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a handshake exports kid and secret as documented', () => {
  const v = vector('handshake');
  const asked: unknown[] = [];
  const exporter = {
    exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer {
      asked.push(length, label, hexOf(context));
      return Buffer.from(v['exported'] ?? '', 'hex');
    },
  };
  const { kid, secret } = exportKeys(exporter, Number(v['generation']));
  expect(asked).toEqual([40, v['label'], v['context']]);
  expect([hexOf(kid), hexOf(secret)]).toEqual([v['kid'], v['secret']]);
});

test('a refusal is framed as documented', () => {
  expect(hexOf(encodeFrame({ type: 'refused', code: 'unknown-box' }))).toBe(vector('handshake')['refusal']);
});

test('a pairing code is written and read as documented', () => {
  const { token = '', pin = '', port, addresses = '', code } = vector('pairing-code');
  const value = {
    addresses: addresses.split(', '),
    port: Number(port),
    pin,
    token: Buffer.from(token, 'hex').toString('base64url'),
  };
  expect(writePairingCode(value)).toBe(code);
  expect(readPairingCode(code ?? '')).toEqual({ ok: true, value });
});

test('keys of the packet lane are made as documented', () => {
  const { secret, number, up, down } = vector('packet-keys');
  const keys = packetKeys(bestAead('aes-256-gcm'), bytesOf(secret), Number(number));
  expect([hexOf(keys.up.bytes), hexOf(keys.down.bytes)]).toEqual([up, down]);
});

for (const cipher of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
  const short = cipher === 'aes-256-gcm' ? 'aes' : 'chacha';

  test(`${cipher}: keys of a strand open the documented opening and records`, () => {
    const aead = bestAead(cipher);
    const { secret, salt } = vector('keys');
    const keys = strandKeys(aead, bytesOf(secret), bytesOf(salt));
    const opened = (key: typeof keys.up, counter: number, wire: string | undefined, aadBytes: number): string => {
      const bytes = bytesOf(wire);
      const slab = nativeSlab(bytes.length);
      slab.bytes.set(bytes);
      const textBytes = bytes.length - aadBytes - 16;
      expect(aead.open(key, counter, slab, 0, aadBytes, aadBytes, textBytes)).toBe(true);
      return hexOf(slab.bytes.subarray(aadBytes, aadBytes + textBytes));
    };
    const opening = vector('opening');
    expect(opened(keys.up, 0, opening[cipher], 25)).toBe(opening['text']);
    const records = vector('records');
    for (const counter of [1, 2]) {
      const name = `box to relay, counter ${counter}`;
      expect(opened(keys.up, counter, records[`${name}, ${short}`], 4)).toBe(records[`${name}, text`]);
    }
    const name = 'relay to box, counter 0';
    expect(opened(keys.down, 0, records[`${name}, ${short}`], 4)).toBe(records[`${name}, text`]);
  });
}
