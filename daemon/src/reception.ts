import { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import { Crowd, sentenceOf, sourceOf } from '@tresse/kit';
import { type BoxHello, boxHello, protocolVersions, type RefusalCode, type RelayAnswer } from '@tresse/schema';

import { agreedCipher } from './ciphers.ts';
import type { Agreement, Offer } from './dial.ts';
import { encodeFrame, readFrame } from './hello-frame.ts';
import type { Identity } from './identity.ts';
import type { Log } from './log.ts';
import { pinOfPeer } from './pin.ts';
import { chooseKeys, handshakeTimeoutMs, tlsSettings } from './tls-settings.ts';

/** Unfinished handshakes at once, in all and of one pin: each costs about 2 ms of CPU and a place. */
const unfinishedMax = 32;
const unfinishedMaxOfPin = 3;
/** How long a box may take to close after our last message. */
const lingerMs = 1_000;

/** The same refusal of the same box is a warning in the log this often; and so many are remembered. */
const tellAgainMs = 600_000;
const toldMax = 1_000;

/** Where a connection came from. */
export interface Remote {
  readonly address: string;
  readonly port: number;
}

/** Our side of a hello. */
export interface Terms extends Offer {
  /** The exporter's context to begin with; the next is taken until the kid fits. */
  readonly generation: number;
  /** Whether a kid's session would be where this box's is. Default: any does. */
  fits?(kid: Uint8Array): boolean;
}

/** How a box is received: by its name, or with the reason why it may not come in. */
export type Welcome = { readonly name: string } | { readonly refused: RefusalCode };

/** What the reception asks of the relay. */
export interface Host {
  /** Whether the box with this pin may come in: its name, or why not. */
  welcome(pin: string): Welcome;
  /** The same for a box that brings a token to be let in from now on. A throw is told as the relay's own trouble. */
  pair(pin: string, token: string, remote: Remote): Welcome;
  /** Our side of a hello for that box; undefined while the engine is starting. */
  terms(pin: string): Terms | undefined;
  /**
   * Makes the kid usable. The box is told only afterwards; a rejection refuses it. Resolves to the address of another box with
   * this identity, where two replace each other.
   */
  admit(agreement: Agreement, remote: Remote): Promise<string | undefined>;
}

interface Guest {
  readonly socket: Socket;
  readonly remote: Remote;
  pin: string | undefined;
  /** It has proved the key of a box that may come in. */
  trusted: boolean;
}

/**
 * The relay's half of handshakes, on connections whose first byte the engine has seen: a TLS server that never listens. Whoever
 * proves a key and sends a well-formed hello gets an answer or one reason; everybody else is closed without a word.
 */
export class Reception {
  readonly #server: Server;
  readonly #host: Host;
  readonly #log: Log;
  /** The unfinished ones by their addresses: TLS does not tell which connection it came by. */
  readonly #guests = new Map<string, Guest>();
  /** The same by where they come from: a source that floods displaces its own. */
  readonly #crowd = new Crowd<Guest>(unfinishedMax);
  /** Refusals in the log, by pin and reason. */
  readonly #toldAtMs = new Map<string, number>();
  readonly counters = { begun: 0, agreed: 0, paired: 0, refused: 0, strangers: 0, failed: 0, dropped: 0 };

  constructor(identity: Identity, host: Host, log: Log) {
    this.#host = host;
    this.#log = log;
    this.#server = createServer({
      ...tlsSettings(identity),
      requestCert: true,
      handshakeTimeout: handshakeTimeoutMs,
      sessionTimeout: 1,
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.counters.failed++;
      this.#log.debug('a handshake failed', { reason: sentenceOf(error) });
      socket.destroy();
    });
    this.#server.on('secureConnection', (socket) => {
      socket.on('error', (error) => this.#log.debug('a handshake broke off', { reason: sentenceOf(error) }));
      const guest = this.#guests.get(keyOf(socket));
      if (guest) void this.#receive(socket, guest);
      else socket.destroy();
    });
  }

  /** Takes over a connected descriptor; from now on it is closed here. */
  adopt(fd: number, remote: Remote): void {
    this.counters.begun++;
    let socket: Socket;
    try {
      socket = new Socket({ fd, readable: true, writable: true });
    } catch (error) {
      this.counters.failed++;
      this.#log.warn('a connection was lost before its handshake', { reason: sentenceOf(error), ...remote });
      return;
    }
    socket.on('error', (error) => this.#log.debug('a handshake broke off', { reason: sentenceOf(error), ...remote }));
    const key = keyOf(socket);
    const guest: Guest = { socket, remote, pin: undefined, trusted: false };
    const timer = setTimeout(() => socket.destroy(), handshakeTimeoutMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#crowd.remove(guest);
      if (this.#guests.get(key) === guest) this.#guests.delete(key);
    });
    // Who has proved the key of a box goes last: a stranger's own key is quickly made.
    const displaced = this.#crowd.add(guest, sourceOf(remote.address), ({ trusted }) => trusted);
    if (displaced) {
      this.counters.dropped++;
      displaced.socket.destroy();
    }
    this.#guests.set(key, guest);
    this.#server.emit('connection', socket);
  }

  /** Closes everything unfinished. */
  close(): void {
    for (const { socket } of this.#guests.values()) socket.destroy();
  }

  async #receive(socket: TLSSocket, guest: Guest): Promise<void> {
    try {
      const pin = pinOfPeer(socket);
      if (pin === undefined) {
        this.counters.strangers++;
        this.#log.info('a peer without an identity was turned away', { ...guest.remote });
        socket.destroy();
        return;
      }
      guest.pin = pin;
      guest.trusted = 'name' in this.#host.welcome(pin);
      const ofPin = [...this.#guests.values()].filter((one) => one.pin === pin).length;
      const hello = boxHello.parse(await readFrame(socket));
      const outcome = ofPin > unfinishedMaxOfPin ? 'busy' : await this.#answer(socket, guest, pin, hello);
      if (typeof outcome === 'string') this.#refuse(socket, guest, pin, outcome);
    } catch (error) {
      this.counters.failed++;
      this.#log.info('a handshake came to nothing', { reason: sentenceOf(error), ...guest.remote });
      socket.destroy();
    }
  }

  /** Returns the reason of a refusal, or undefined when the box is in. */
  async #answer(socket: TLSSocket, { remote }: Guest, pin: string, hello: BoxHello): Promise<RefusalCode | undefined> {
    if (hello.token !== undefined) return this.#pair(socket, remote, pin, hello.token);
    const welcome = this.#host.welcome(pin);
    if ('refused' in welcome) return welcome.refused;
    const terms = this.#host.terms(pin);
    if (!terms) return 'not-ready';
    const version = Math.max(...protocolVersions.filter((one) => hello.versions.includes(one)));
    if (version < 1) return 'version';
    const cipher = agreedCipher(terms.ciphers, hello.ciphers);
    if (!cipher) return 'cipher';
    const keys = chooseKeys(socket, terms.generation, (kid) => terms.fits?.(kid) ?? true);
    if (!keys) return 'not-ready';
    const agreement: Agreement = {
      kid: keys.kid,
      secret: keys.secret,
      cipher,
      limits: hello.limits,
      peerPin: pin,
      peerIncarnation: hello.incarnation,
      peerSoftware: hello.software,
      group: hello.group,
      packets: hello.packets,
    };
    let elsewhere: string | undefined;
    try {
      elsewhere = await this.#host.admit(agreement, remote);
    } catch (error) {
      this.#log.warn('a box could not be let in', { reason: sentenceOf(error), ...remote });
      const since = this.#host.welcome(pin);
      return 'refused' in since ? since.refused : 'not-ready';
    }
    // It may have been put out meanwhile.
    const still = this.#host.welcome(pin);
    if ('refused' in still) return still.refused;
    this.counters.agreed++;
    this.#say(socket, {
      type: 'hello',
      version,
      software: terms.software,
      incarnation: terms.incarnation,
      generation: keys.generation,
      cipher,
      limits: terms.limits,
      timeMs: Date.now(),
      ...(elsewhere !== undefined && { elsewhere }),
    });
    return undefined;
  }

  /** No keys come of it, so that a session this box has meanwhile goes on. */
  #pair(socket: TLSSocket, remote: Remote, pin: string, token: string): RefusalCode | undefined {
    let welcome: Welcome;
    try {
      welcome = this.#host.pair(pin, token, remote);
    } catch (error) {
      this.#log.error('a box could not be paired', { reason: sentenceOf(error), pin, ...remote });
      return 'unwritable';
    }
    if ('refused' in welcome) return welcome.refused;
    this.counters.paired++;
    this.#log.info('a box is paired', { box: welcome.name, pin, ...remote });
    this.#say(socket, { type: 'paired', name: welcome.name, timeMs: Date.now() });
    return undefined;
  }

  #refuse(socket: TLSSocket, guest: Guest, pin: string, code: RefusalCode): void {
    this.counters.refused++;
    this.#log.at(this.#isNews(`${pin} ${code}`) ? 'warn' : 'debug', 'a box was refused', {
      reason: code,
      pin,
      ...guest.remote,
    });
    this.#say(socket, { type: 'refused', code });
  }

  /** A box that was put out goes on asking for ever: once in a while is enough to know. */
  #isNews(refusal: string): boolean {
    const nowMs = performance.now();
    const isNews = nowMs - (this.#toldAtMs.get(refusal) ?? -Infinity) > tellAgainMs;
    if (this.#toldAtMs.size >= toldMax) this.#toldAtMs.clear();
    if (isNews) this.#toldAtMs.set(refusal, nowMs);
    return isNews;
  }

  #say(socket: TLSSocket, answer: RelayAnswer): void {
    socket.end(encodeFrame(answer));
    // The box closes; one that does not is closed.
    setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.resume();
  }
}

/** Both ends of a connection as text: the same for a socket and the TLS on it. */
function keyOf(socket: Socket): string {
  return [socket.remoteAddress, socket.remotePort, socket.localAddress, socket.localPort].join(' ');
}
