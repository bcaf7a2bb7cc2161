import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { PeerError, sentenceOf, SystemError, type TresseError } from '@tresse/kit';
import {
  type BoxHello,
  type Cipher,
  type HelloLimits,
  protocolVersions,
  refusalSentence,
  relayAnswer,
} from '@tresse/schema';

import { encodeFrame, readFrame } from './hello-frame.ts';
import type { Identity } from './identity.ts';
import { pinOfPeer } from './pin.ts';
import { exportKeys, handshakeTimeoutMs, tlsSettings } from './tls-settings.ts';

/** Where a relay is, and whom we expect there. */
export interface RelayTarget {
  readonly address: string;
  readonly port: number;
  readonly pin: string;
  /** The source address, which picks the uplink. */
  readonly localAddress?: string;
}

/** What our hello offers. */
export interface Offer {
  readonly incarnation: string;
  readonly limits: HelloLimits;
  /** The preferred first. */
  readonly ciphers: readonly Cipher[];
  readonly software: string;
}

/** What a handshake agreed: keys and terms. */
export interface Agreement {
  readonly kid: Uint8Array;
  readonly secret: Uint8Array;
  readonly cipher: Cipher;
  readonly limits: HelloLimits;
  readonly peerPin: string;
  readonly peerIncarnation: string;
  readonly peerSoftware: string;
  /** The key agreement TLS used, as far as known. */
  readonly group: string | undefined;
}

/**
 * Makes a handshake with a relay: connects from the given source address, proves our key, checks the relay's pin before
 * anything else, exchanges hellos, and takes the keys. Rejects with a sentence that tells refused, timed out, no route,
 * wrong relay and refusals apart: SystemError `DIAL_REFUSED`, `DIAL_TIMEOUT`, `DIAL_NO_ROUTE`, `DIAL_NO_ADDRESS`,
 * `DIAL_FAILED`; PeerError `DIAL_WRONG_PIN`, `DIAL_NOT_RELAY`, `DIAL_CLOSED`, `RELAY_REFUSES`. `relayTimeMs` is the relay's clock.
 */
export async function dialRelay(
  target: RelayTarget,
  identity: Identity,
  offer: Offer,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Agreement & { relayTimeMs: number }> {
  const raw = connectTcp({
    host: target.address,
    port: target.port,
    ...(target.localAddress !== undefined && { localAddress: target.localAddress }),
  });
  const ended = endedBy(raw, options, target);
  try {
    await Promise.race([once(raw, 'connect'), ended.failed]);
    ended.reach('connected');
    const socket = connectTls({ ...tlsSettings(identity), socket: raw, servername: '' });
    socket.on('error', ended.fail);
    await Promise.race([once(socket, 'secureConnect'), ended.failed]);
    ended.reach('secure');
    return await Promise.race([converse(socket, target, offer), ended.failed]);
  } finally {
    ended.stop();
    raw.destroy();
  }
}

const shown = ({ address, port }: RelayTarget): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

async function converse(
  socket: TLSSocket,
  target: RelayTarget,
  offer: Offer,
): Promise<Agreement & { relayTimeMs: number }> {
  const where = shown(target);
  const peerPin = pinOfPeer(socket);
  if (peerPin !== target.pin) {
    throw new PeerError(
      'DIAL_WRONG_PIN',
      `${where} is not the relay of box.yaml: its pin is ${peerPin ?? 'missing'}, expected ${target.pin}`,
    );
  }
  const group = groupOf(socket);
  const hello: BoxHello = {
    type: 'hello',
    versions: [...protocolVersions],
    software: offer.software,
    incarnation: offer.incarnation,
    ciphers: [...offer.ciphers],
    limits: offer.limits,
    ...(group !== undefined && { group }),
  };
  socket.write(encodeFrame(hello));
  const answer = relayAnswer.safeParse(await readFrame(socket));
  if (!answer.success) throw new PeerError('DIAL_NOT_RELAY', `${where} answers with something that is no hello`);
  if (answer.data.type === 'refused') throw new PeerError('RELAY_REFUSES', refusalSentence(answer.data.code));
  const { data } = answer;
  if (!protocolVersions.includes(data.version) || !offer.ciphers.includes(data.cipher)) {
    throw new PeerError('DIAL_NOT_RELAY', `${where} chose a version or cipher we did not offer`);
  }
  return {
    ...exportKeys(socket, data.generation),
    cipher: data.cipher,
    limits: data.limits,
    peerPin,
    peerIncarnation: data.incarnation,
    peerSoftware: data.software,
    group,
    relayTimeMs: data.timeMs,
  };
}

function groupOf(socket: TLSSocket): string | undefined {
  const info = socket.getEphemeralKeyInfo();
  return info !== null && 'name' in info && typeof info.name === 'string' ? info.name : undefined;
}

/** How far a dial came; decides what a failure is called. */
type Reached = 'nothing' | 'connected' | 'secure';

/** Watches a dial for its ends: an error, the peer's close, the time-out, the caller's wish. */
function endedBy(
  raw: Socket,
  { timeoutMs = handshakeTimeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal },
  target: RelayTarget,
): { failed: Promise<never>; fail: (error: unknown) => void; reach: (state: Reached) => void; stop: () => void } {
  let reached: Reached = 'nothing';
  const { promise: failed, reject } = Promise.withResolvers<never>();
  // Awaited by races only: without this, losing one would count as unhandled.
  failed.catch(() => {});
  const fail = (error: unknown): void => reject(sentenceOfFailure(error, reached, target));
  const close = (): void => fail(undefined);
  const late = (): void => fail({ code: 'ETIMEDOUT' });
  const timer = setTimeout(late, timeoutMs);
  raw.on('error', fail);
  raw.on('close', close);
  signal?.addEventListener('abort', close);
  return {
    failed,
    fail,
    reach: (state) => {
      reached = state;
    },
    stop: () => {
      clearTimeout(timer);
      raw.off('close', close);
      signal?.removeEventListener('abort', close);
    },
  };
}

function sentenceOfFailure(error: unknown, reached: Reached, target: RelayTarget): TresseError {
  const code = error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : '';
  const where = shown(target);
  const from = target.localAddress === undefined ? '' : ` from ${target.localAddress}`;
  if (reached !== 'nothing') {
    if (code === 'ETIMEDOUT')
      return new SystemError('DIAL_TIMEOUT', `${where} takes the connection but does not go on`);
    if (code.startsWith('ERR_SSL')) {
      return new PeerError('DIAL_NOT_RELAY', `${where} does not speak TLS 1.3 as a relay does (${code})`, error);
    }
    return new PeerError('DIAL_CLOSED', `${where} closes the connection during the handshake`, error);
  }
  switch (code) {
    case 'ECONNREFUSED':
      return new SystemError(
        'DIAL_REFUSED',
        `${where} refuses the connection: does the relay run, on this port?`,
        error,
      );
    case 'ETIMEDOUT':
      return new SystemError('DIAL_TIMEOUT', `no answer from ${where}${from} in time`, error);
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return new SystemError('DIAL_NO_ROUTE', `there is no route to ${target.address}${from}`, error);
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return new SystemError(
        'DIAL_NO_ADDRESS',
        `this machine does not have ${target.localAddress ?? 'an address'}`,
        error,
      );
    default:
      return new SystemError(
        'DIAL_FAILED',
        `${where} is not reached${from} (${error === undefined ? 'given up' : sentenceOf(error)})`,
        error,
      );
  }
}

function once(emitter: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve());
  });
}
