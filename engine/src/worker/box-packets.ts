/** The box's end of the packet lane: its TUN device, a UDP socket for every path that stands, and whether packets get through. */
import { kidNumber, type PacketPolicy, type Session } from '@tresse/core';
import { UserError } from '@tresse/kit';
import {
  bindAddress,
  bindDevice,
  closeFd,
  type Endpoint,
  endpoint,
  ErrnoError,
  type EventLoop,
  setMark,
  udpSocket,
} from '@tresse/sys';

import type { BoxPath, KidInstall } from '../api.ts';
import { aeadOf } from './ciphers.ts';
import { readDatagrams } from './datagram-port.ts';
import { PacketDriver, tellRefusal } from './packet-driver.ts';
import type { Log, SessionDriver } from './session-driver.ts';
import { TunDevice } from './tun-device.ts';

/** The lane of a new session counts as carrying for so long, ms: what hosts send first should not go another way than what follows. */
const hopefulMs = 3_000;
/** ... and one that carried for so long: where UDP is blocked in mid-flow a strand is found first. */
const lostMs = 2_000;
/** What was sealed under the key before is on its way for so long at most, ms. */
const oldKeyMs = 30_000;

interface PathSocket {
  readonly fd: number;
  readonly to: Endpoint;
}

export class BoxPackets {
  /** Datagrams that came by another line than their path's, and what is none of ours. */
  readonly counters = { datagramsAstray: 0, datagramsStrange: 0 };
  readonly #loop: EventLoop;
  readonly #mark: number;
  readonly #onCarries: (carries: boolean) => void;
  readonly #log: Log;
  readonly #tun: TunDevice;
  readonly #sockets = new Map<number, PathSocket>();
  #paths: ReadonlyMap<number, BoxPath> = new Map();
  #session: Session | undefined;
  #driver: PacketDriver | undefined;
  #beganMs = 0;
  #keyedMs = 0;
  #carriedMs = -Infinity;
  #told: boolean | undefined;

  /** `onCarries` hears whether packets get through: first within three seconds of a session's begin, then at each change. */
  constructor(loop: EventLoop, tunFd: number, mark: number, log: Log, onCarries: (carries: boolean) => void) {
    this.#loop = loop;
    this.#mark = mark;
    this.#log = log;
    this.#onCarries = onCarries;
    this.#tun = new TunDevice(loop, tunFd, (bytes, start, end) => this.#driver?.handleLocal(bytes, start, end));
    if (this.#tun.lack !== undefined) log('info', this.#tun.lack, {});
  }

  get driver(): PacketDriver | undefined {
    return this.#driver;
  }

  begin(streams: SessionDriver, policy: PacketPolicy): void {
    const { session } = streams;
    this.#session = session;
    this.#beganMs = this.#loop.nowMs;
    this.#carriedMs = -Infinity;
    this.#told = undefined;
    this.#driver = new PacketDriver(
      'box',
      this.#loop,
      session.paths,
      (slab, start, length) => this.#tun.write(slab, start, length),
      (strand, slab, length) => streams.sendDatagram(strand, slab, length),
      policy,
    );
  }

  addKey(install: KidInstall): void {
    this.#driver?.addKey(kidNumber(install.kid, 0), aeadOf(install.cipher), install.secret);
    this.#keyedMs = this.#loop.nowMs;
  }

  setPaths(paths: ReadonlyMap<number, BoxPath>): void {
    this.#paths = paths;
    for (const path of this.#sockets.keys()) if (!paths.has(path)) this.#close(path);
  }

  /** Opens sockets for paths that stand, forgets keys that were replaced, and tells whether packets get through; called some times a second. */
  sweep(nowMs: number): void {
    const driver = this.#driver;
    if (!driver) return;
    for (const path of this.#paths.values()) {
      const known = this.#session?.paths.get(path.path);
      if (known?.usable === true && known.answered && !this.#sockets.has(path.path)) this.#open(driver, path);
    }
    if (nowMs - this.#keyedMs > oldKeyMs) for (const number of driver.numbers.slice(0, -1)) driver.forget(number);
    this.#tell(driver.carries, nowMs);
    tellRefusal(this.#log);
  }

  end(): void {
    this.#driver?.end();
    this.#driver = undefined;
    this.#session = undefined;
    for (const path of this.#sockets.keys()) this.#close(path);
  }

  afterBatch(): void {
    this.#driver?.afterBatch();
    this.#tun.afterBatch();
  }

  #tell(carries: boolean, nowMs: number): void {
    if (carries) this.#carriedMs = nowMs;
    const hopeful = nowMs - this.#beganMs < hopefulMs || nowMs - this.#carriedMs < lostMs;
    if (carries === this.#told || (!carries && hopeful)) return;
    this.#told = carries;
    this.#onCarries(carries);
  }

  #open(driver: PacketDriver, path: BoxPath): void {
    const family = path.relayAddress.includes(':') ? 6 : 4;
    let fd = -1;
    try {
      fd = udpSocket(family);
      setMark(fd, this.#mark);
      bindDevice(fd, path.interface);
      bindAddress(fd, path.localAddress, 0);
      const to = endpoint(path.relayAddress, path.relayPort);
      readDatagrams(
        this.#loop,
        fd,
        (header, slab, start, length, socket, from) => {
          // A path's datagrams come by its own line, or a peer could be told to send elsewhere.
          if (header.path === path.path) driver.receive(header, slab, start, length, socket, from);
          else this.counters.datagramsAstray++;
        },
        () => this.counters.datagramsStrange++,
      );
      this.#sockets.set(path.path, { fd, to });
      driver.setWay(path.path, fd, to);
    } catch (error) {
      if (fd >= 0) closeFd(fd);
      // A line may lose its interface or address at any time: the next look finds it as it is then.
      if (!(error instanceof ErrnoError || error instanceof UserError)) throw error;
    }
  }

  #close(path: number): void {
    const socket = this.#sockets.get(path);
    if (!socket) return;
    this.#driver?.closeWay(path);
    this.#loop.remove(socket.fd);
    closeFd(socket.fd);
    this.#sockets.delete(path);
  }
}
