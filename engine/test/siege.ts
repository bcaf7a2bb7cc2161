/** A real relay's data plane on loopback, with boxes of good and of bad will around it. */
import { openingAadBytes, openingBytes, openingTextBytes, StrandRole, writeOpening, writeU32 } from '@tresse/core';
import { FreeListPool } from '@tresse/kit';
import {
  type AeadKey,
  bestAead,
  closeWithReset,
  connectOutcome,
  connectStart,
  EventLoop,
  nativeSlab,
  randomBytes,
  tcpSocket,
  WRITABLE,
} from '@tresse/sys';

import {
  type EngineEvents,
  type EngineStatus,
  localLimits,
  type RelayEngine,
  type RelayEngineOptions,
  startRelayEngine,
} from '../src/index.ts';
import { SessionDriver } from '../src/worker/session-driver.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import { connectedPair, finish, pattern, Peer, Server } from './peer.ts';
import { freePort, soon } from './wait.ts';

const aead = bestAead('aes-256-gcm');
const secret = new Uint8Array(32).fill(4);
const scratch = nativeSlab(70_000);

/** The worker of a kid is that of its last byte: all of one parity have the same of two. */
function kidOf(number: number): Uint8Array {
  const kid = new Uint8Array(8).fill(number);
  writeU32(kid, 0, number);
  return kid;
}

/** An opening under a kid's key as a box makes it; what is written in it may be changed before it is sealed. */
export function opening(
  kid: number,
  strand: number,
  path = 1,
  role: StrandRole = StrandRole.quick,
  change: (text: Uint8Array) => void = () => {},
): { bytes: Buffer; up: AeadKey } {
  const salt = randomBytes(16);
  const { up } = strandKeys(aead, secret, salt);
  writeOpening(scratch.bytes, 0, kidOf(kid), salt, { strand, path, role });
  change(scratch.bytes.subarray(openingAadBytes, openingAadBytes + openingTextBytes));
  aead.seal(up, 0, scratch, 0, openingAadBytes, openingAadBytes, openingTextBytes);
  return { bytes: Buffer.from(scratch.bytes.subarray(0, openingBytes)), up };
}

/** A number as frames have it. */
export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** A frame of any type. */
export function frame(type: number, ...body: Uint8Array[]): Buffer {
  const whole = Buffer.concat(body);
  return Buffer.concat([Buffer.from([type, whole.length >> 16, whole.length >> 8, whole.length & 0xff]), whole]);
}

/** A record under a strand's key. */
export function record(up: AeadKey, counter: number, text: Uint8Array): Buffer {
  writeU32(scratch.bytes, 0, text.length);
  scratch.bytes.set(text, 4);
  aead.seal(up, counter, scratch, 0, 4, 4, text.length);
  return Buffer.from(scratch.bytes.subarray(0, 20 + text.length));
}

/** The relay besieged. Its own thread serves; this thread is everybody else. */
export class Siege {
  readonly loop: EventLoop = new EventLoop();
  readonly faults: string[] = [];
  /** How often the data plane began. */
  readies = 0;
  /** What becomes of handshakes; the descriptor is the callee's. */
  onTls: (fd: number) => void = closeWithReset;
  readonly messages: Uint8Array[] = [];
  port = 0;
  #engine: RelayEngine | undefined;

  static async lay(options: Partial<RelayEngineOptions> = {}): Promise<Siege> {
    const siege = new Siege();
    siege.port = await freePort();
    const events: EngineEvents = {
      onReady: () => void siege.readies++,
      onLog: () => {},
      onTlsConnection: (fd) => siege.onTls(fd),
      onPeerMessage: (_key, bytes) => siege.messages.push(bytes),
      onFault: (stack) => siege.faults.push(stack),
    };
    const listen = [{ address: '127.0.0.1', port: siege.port }];
    siege.#engine = startRelayEngine({ listen, allowPrivate: ['127.0.0.0/8'], ...options }, events);
    await siege.#engine.ready;
    return siege;
  }

  get engine(): RelayEngine {
    if (!this.#engine) throw new Error('the siege is over');
    return this.#engine;
  }

  /** A key of a box; each box has one session. */
  async admit(kid: number, box = 'hostile'): Promise<void> {
    const { engine } = this;
    const common = { secret, cipher: 'aes-256-gcm', limits: localLimits } as const;
    await engine.installKid({ ...common, kid: kidOf(kid), sessionKey: box, peer: box });
  }

  /** Lets both threads work until something holds. */
  soon(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
    return soon(holds, () => `${what} ${this.faults.join()}`, this.loop);
  }

  /** Connects, sends each input, and waits until the relay has ended each; a few at a time. */
  async assail(count: number, input: (i: number) => Uint8Array, from = 0): Promise<void> {
    if (from >= count) return;
    const peers = Array.from({ length: Math.min(64, count - from) }, (_, i) =>
      Peer.connect(this.loop, this.port).send(input(from + i)),
    );
    await this.soon(() => peers.every((peer) => peer.over), `inputs from ${from} refused`);
    for (const peer of peers) peer.reset();
    await this.assail(count, input, from + peers.length);
  }

  async status(): Promise<EngineStatus> {
    return this.engine.status();
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    return (await this.status()).counters;
  }

  /** What a session has counted. */
  async sessionCounters(box = 'hostile'): Promise<Readonly<Record<string, number>>> {
    return (await this.status()).sessions.find((one) => one.peer === box)?.counters ?? {};
  }

  async raise(): Promise<void> {
    await this.#engine?.stop();
    finish(this.loop);
  }
}

/** A box as it should be, in a session of its own: moves bytes through the relay, there and back. */
export class HonestBox {
  readonly driver: SessionDriver;
  readonly #siege: Siege;
  readonly #server: Server;
  #turn = 0;

  private constructor(siege: Siege) {
    const { loop } = siege;
    this.#siege = siege;
    this.#server = new Server(loop, (peer) => {
      peer.forgetful = false;
    });
    this.driver = new SessionDriver(
      'box',
      'relay',
      loop,
      new FreeListPool(nativeSlab, 0),
      () => ({ refused: 1 }),
      () => {},
      { onPath: () => {}, onAnswered: () => {}, onStrandClosed: () => {}, onOver: () => {} },
    );
    loop.afterBatch(() => this.driver.afterBatch());
  }

  /** Connects with a quick and a bulk strand under the kid, which must be installed. */
  static async join(siege: Siege, kid: number): Promise<HonestBox> {
    const box = new HonestBox(siege);
    for (const [strand, role] of [
      [1, StrandRole.quick],
      [2, StrandRole.bulk],
    ] as const)
      box.#connect(kid, strand, role);
    await siege.soon(
      () => [...box.driver.session.strands.values()].filter((s) => s.state === 'answered').length === 2,
      'the honest box connected',
    );
    return box;
  }

  /** Sends bytes to a server, which sends others back. Fails unless all arrive as they were. */
  async exchange(bytes = 200_000): Promise<void> {
    const { loop } = this.#siege;
    const [up, down] = [pattern(bytes, ++this.#turn), pattern(bytes, this.#turn + 1_000)];
    const { near, far } = connectedPair(loop);
    const client = new Peer(loop, near);
    const target = { address: Uint8Array.of(127, 0, 0, 1), port: this.#server.port };
    const stream = this.driver.session.openStream(target, [], loop.nowMs);
    this.driver.sockets.adopt(stream, far);
    this.driver.touch();
    const served = this.#server.peers.length;
    client.send(up).end();
    await this.#siege.soon(() => this.#server.peers[served]?.ended === true, 'the server hears the end');
    const server = this.#server.peers[served];
    if (!server?.heard.equals(up)) throw new Error('the server heard something else');
    server.send(down).end();
    await this.#siege.soon(() => client.ended, 'the client hears the end');
    if (!client.heard.equals(down)) throw new Error('the client heard something else');
    client.close();
    server.close();
  }

  leave(): void {
    this.driver.end('the test ends');
    this.#server.close();
  }

  #connect(kid: number, strand: number, role: StrandRole): void {
    const { loop, port } = this.#siege;
    const fd = tcpSocket(4);
    connectStart(fd, '127.0.0.1', port);
    loop.add(fd, WRITABLE, () => {
      loop.remove(fd);
      if (connectOutcome(fd) !== 0) throw new Error('no connection to the relay');
      const salt = randomBytes(16);
      const keys = strandKeys(aead, secret, salt);
      writeOpening(scratch.bytes, 0, kidOf(kid), salt, { strand, path: 1, role });
      aead.seal(keys.up, 0, scratch, 0, openingAadBytes, openingAadBytes, openingTextBytes);
      const sealing = { seal: keys.up, sealCounter: 1, open: keys.down, openCounter: 0 };
      const socket = new StrandSocket(fd, loop, aead, sealing, this.driver);
      socket.watch();
      this.driver.addStrand(socket, strand, 1, role);
      socket.sendPlain(scratch, openingBytes);
    });
  }
}
