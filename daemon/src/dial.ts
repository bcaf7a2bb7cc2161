import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { PeerError, sentenceOf, SystemError, type TresseError } from '@tresse/kit';
import {
  type BoxHello,
  type Cipher,
  type HelloLimits,
  type PacketWishes,
  protocolVersions,
  refusalSentence,
  type RelayAnswer,
  relayAnswer,
} from '@tresse/schema';
import { ErrnoError } from '@tresse/sys';

import { encodeFrame, readFrame } from './hello-frame.ts';
import type { Identity } from './identity.ts';
import { connectByInterface } from './line-connection.ts';
import { pinOfPeer } from './pin.ts';
import { exportKeys, handshakeTimeoutMs, tlsSettings } from './tls-settings.ts';

/** Where a relay is, and whom we expect there. */
export interface RelayTarget {
  readonly address: string;
  readonly port: number;
  readonly pin: string;
  /** The source address, which picks the uplink. */
  readonly localAddress?: string;
  /** Leaves by this interface even where the routes would send it by another. */
  readonly interface?: string;
}

/** A relay that knows who we are says why it does not let us in; `reason` is the code it gave. */
export class RefusalError extends PeerError {
  readonly reason: string;

  constructor(reason: string) {
    super('RELAY_REFUSES', refusalSentence(reason));
    this.name = 'RefusalError';
    this.reason = reason;
  }
}

/** What a box has from a handshake. */
export interface RelayAgreement extends Agreement {
  /** The relay's clock, milliseconds since 1970. */
  readonly relayTimeMs: number;
  /** Where another box with our identity is, when the two replace each other's sessions. */
  readonly elsewhere?: string;
}

interface DialOptions {
  readonly timeoutMs?: number;
  /** Of the whole time, how long the connection may take. */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What our hello offers. */
export interface Offer {
  readonly incarnation: string;
  readonly limits: HelloLimits;
  /** The preferred first. */
  readonly ciphers: readonly Cipher[];
  readonly software: string;
  /** Box: how its packets shall come. */
  readonly packets?: PacketWishes;
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
  /** Relay: how the box's packets shall go to it, where it says so. */
  readonly packets?: PacketWishes | undefined;
}

/**
 * Makes a handshake with a relay: connects from the given source address, proves our key, checks the relay's pin before
 * anything else, exchanges hellos, and takes the keys. Rejects with a sentence that tells refused, timed out, no route,
 * wrong relay and refusals apart: SystemError `DIAL_REFUSED`, `DIAL_TIMEOUT`, `DIAL_NO_ROUTE`, `DIAL_NO_ADDRESS`,
 * `DIAL_FAILED`; PeerError `DIAL_WRONG_PIN`, `DIAL_NOT_RELAY`, `DIAL_CLOSED`; RefusalError.
 */
export function dialRelay(
  target: RelayTarget,
  identity: Identity,
  offer: Offer,
  options: DialOptions = {},
): Promise<RelayAgreement> {
  return withRelay(target, identity, options, async (socket) => {
    const hello = helloOf(socket, offer);
    const data = await ask(socket, target, hello);
    if (data.type !== 'hello' || !protocolVersions.includes(data.version) || !offer.ciphers.includes(data.cipher)) {
      throw new PeerError('DIAL_NOT_RELAY', `${placeOf(target)} chose a version or cipher we did not offer`);
    }
    return {
      ...exportKeys(socket, data.generation),
      cipher: data.cipher,
      limits: data.limits,
      peerPin: target.pin,
      peerIncarnation: data.incarnation,
      peerSoftware: data.software,
      group: hello.group,
      relayTimeMs: data.timeMs,
      ...(data.elsewhere !== undefined && { elsewhere: data.elsewhere }),
    };
  });
}

/**
 * Asks a relay to let this box in from now on, by a pairing code's token. Returns what the relay calls the box. No keys come
 * of it, and a session that the box has goes on. Rejects as {@link dialRelay}; RefusalError where the token is not good.
 */
export function pairWithRelay(
  target: RelayTarget,
  identity: Identity,
  offer: Offer,
  token: string,
  options: DialOptions = {},
): Promise<{ name: string; relayTimeMs: number }> {
  return withRelay(target, identity, options, async (socket) => {
    const data = await ask(socket, target, { ...helloOf(socket, offer), token });
    if (data.type === 'paired') return { name: data.name, relayTimeMs: data.timeMs };
    throw new PeerError('DIAL_NOT_RELAY', `the relay at ${placeOf(target)} is too old to be paired with: update it`);
  });
}

/** Connects, proves both keys, and lets `converse` speak to whom we expected. */
async function withRelay<T>(
  target: RelayTarget,
  identity: Identity,
  options: DialOptions,
  converse: (socket: TLSSocket) => Promise<T>,
): Promise<T> {
  // Without a wait in between where that can be: an error may come before anybody listened for it.
  const raw = target.interface === undefined ? connectionTo(target) : await openedByInterface(target, options);
  const ended = endedBy(raw, options, target);
  const slow = setTimeout(() => ended.fail({ code: 'ETIMEDOUT' }), options.connectTimeoutMs ?? handshakeTimeoutMs);
  try {
    if (raw.connecting) await Promise.race([once(raw, 'connect'), ended.failed]);
    clearTimeout(slow);
    ended.reach('connected');
    const socket = connectTls({ ...tlsSettings(identity), socket: raw, servername: '' });
    socket.on('error', ended.fail);
    await Promise.race([once(socket, 'secureConnect'), ended.failed]);
    ended.reach('secure');
    const peerPin = pinOfPeer(socket);
    if (peerPin !== target.pin) {
      throw new PeerError(
        'DIAL_WRONG_PIN',
        `${placeOf(target)} is not the relay this box knows: its pin is ${peerPin ?? 'missing'}, expected ${target.pin}`,
      );
    }
    return await Promise.race([converse(socket), ended.failed]);
  } finally {
    clearTimeout(slow);
    ended.stop();
    raw.destroy();
  }
}

function connectionTo({ address, port, localAddress }: RelayTarget): Socket {
  return connectTcp({ host: address, port, ...(localAddress !== undefined && { localAddress }) });
}

async function openedByInterface(
  target: RelayTarget,
  { timeoutMs = handshakeTimeoutMs, signal }: DialOptions,
): Promise<Socket> {
  const late = AbortSignal.timeout(timeoutMs);
  const given = signal ? AbortSignal.any([signal, late]) : late;
  try {
    return await connectByInterface(target, { interface: target.interface ?? '', address: target.localAddress }, given);
  } catch (error) {
    const timedOut = late.aborted ? { code: 'ETIMEDOUT' } : undefined;
    throw sentenceOfFailure(error instanceof ErrnoError ? error : timedOut, 'nothing', target);
  }
}

function helloOf(socket: TLSSocket, offer: Offer): BoxHello {
  const group = groupOf(socket);
  return {
    type: 'hello',
    versions: [...protocolVersions],
    software: offer.software,
    incarnation: offer.incarnation,
    ciphers: [...offer.ciphers],
    limits: offer.limits,
    ...(offer.packets && { packets: offer.packets }),
    ...(group !== undefined && { group }),
  };
}

/** Says hello. Returns the answer, unless it is a refusal. */
async function ask(
  socket: TLSSocket,
  target: RelayTarget,
  hello: BoxHello,
): Promise<Exclude<RelayAnswer, { type: 'refused' }>> {
  socket.write(encodeFrame(hello));
  const answer = relayAnswer.safeParse(await readFrame(socket));
  if (!answer.success) {
    throw new PeerError('DIAL_NOT_RELAY', `${placeOf(target)} answers with something that is no hello`);
  }
  if (answer.data.type === 'refused') throw new RefusalError(answer.data.code);
  return answer.data;
}

function placeOf({ address, port }: RelayTarget): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
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
  { timeoutMs = handshakeTimeoutMs, signal }: DialOptions,
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

/** Why a connection to a relay does not come about, as a sentence; `code` is the errno's name. */
export function unreachedSentence(
  code: string,
  target: Pick<RelayTarget, 'address' | 'port' | 'localAddress'>,
): string {
  return sentenceOfFailure({ code }, 'nothing', { ...target, pin: '' }).message;
}

function sentenceOfFailure(error: unknown, reached: Reached, target: RelayTarget): TresseError {
  const code = error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : '';
  const where = placeOf(target);
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
