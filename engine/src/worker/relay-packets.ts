/**
 * The relay's end of the packet lane: one TUN device and one UDP port for all sessions of a worker. Datagrams name their session by the
 * number of its key, packets by the address the box has inside.
 */
import { kidNumber, type PacketPolicy, type Prefix, readU32, withinAt } from '@tresse/core';
import type { Slab } from '@tresse/kit';
import type { EventLoop } from '@tresse/sys';

import type { InnerAddresses, KidInstall } from '../api.ts';
import { aeadOf } from './ciphers.ts';
import { readDatagrams } from './datagram-port.ts';
import { PacketDriver, tellRefusal } from './packet-driver.ts';
import type { Log, SessionDriver } from './session-driver.ts';
import { addressBytes, prefixOf } from './target.ts';
import { TunDevice } from './tun-device.ts';

/** Where the addresses stand in a packet, by family. */
const at = { 4: { source: 12, destination: 16 }, 6: { source: 8, destination: 24 } } as const;

/** A box's part of it. */
export interface PacketMember {
  readonly driver: PacketDriver;
  readonly four: number;
  readonly six: Uint8Array;
  /** Networks behind it that packets may go to, and come from. */
  lan: readonly Prefix[];
}

export class RelayPackets {
  readonly counters = {
    /** No datagrams of ours. */
    datagramsStrange: 0,
    /** Under no key there is. */
    datagramsUnknown: 0,
    /** From an address that is not the box's. */
    packetsSpoofed: 0,
    /** To nobody. */
    packetsAstray: 0,
  };
  readonly #loop: EventLoop;
  readonly #log: Log;
  readonly #tun: TunDevice;
  readonly #byNumber = new Map<number, PacketMember>();
  /** By the last four bytes of the inner address. */
  readonly #byFour = new Map<number, PacketMember>();
  readonly #bySix = new Map<number, PacketMember>();
  /** Those with networks behind them. */
  readonly #routed = new Set<PacketMember>();

  /** The descriptors stay the caller's. */
  constructor(loop: EventLoop, udpFds: readonly number[], tunFd: number, log: Log) {
    this.#loop = loop;
    this.#log = log;
    this.#tun = new TunDevice(loop, tunFd, (bytes, start, end) => this.#fromTun(bytes, start, end));
    if (this.#tun.lack !== undefined) log('info', this.#tun.lack, {});
    for (const fd of udpFds) {
      readDatagrams(
        loop,
        fd,
        (header, slab, start, length, socket, from) => {
          const member = this.#byNumber.get(header.session);
          if (member) member.driver.receive(header, slab, start, length, socket, from);
          else this.counters.datagramsUnknown++;
        },
        () => this.counters.datagramsStrange++,
      );
    }
  }

  /** Called after every turn of the loop, behind all sessions' drivers. */
  afterBatch(): void {
    this.#tun.afterBatch();
  }

  /** Called some times a second. */
  sweep(): void {
    tellRefusal(this.#log);
  }

  get undelivered(): number {
    return this.#tun.undelivered;
  }

  begin(
    streams: Pick<SessionDriver, 'session' | 'sendDatagram'>,
    inner: InnerAddresses,
    policy: PacketPolicy,
  ): PacketMember {
    const driver = new PacketDriver(
      'relay',
      this.#loop,
      streams.session.paths,
      (slab, start, length) => this.#toTun(member, slab, start, length),
      (strand, slab, length) => streams.sendDatagram(strand, slab, length),
      policy,
    );
    const six = inner.ipv6 === undefined ? new Uint8Array(16) : addressBytes(inner.ipv6);
    const member: PacketMember = { driver, four: readU32(addressBytes(inner.ipv4), 0), six, lan: [] };
    this.#byFour.set(member.four, member);
    if (inner.ipv6 !== undefined) this.#bySix.set(readU32(six, 12), member);
    return member;
  }

  /** Packets to these networks, as ADDRESS/BITS, are this box's, and may come from it. Throws UserError `PREFIX`. */
  setLan(member: PacketMember, networks: readonly string[]): void {
    member.lan = networks.map((one) => prefixOf(one));
    if (member.lan.length > 0) this.#routed.add(member);
    else this.#routed.delete(member);
  }

  addKey(member: PacketMember, { kid, cipher, secret }: KidInstall): void {
    const number = kidNumber(kid, 0);
    member.driver.addKey(number, aeadOf(cipher), secret);
    this.#byNumber.set(number, member);
  }

  forgetKey(member: PacketMember, number: number): void {
    member.driver.forget(number);
    if (this.#byNumber.get(number) === member) this.#byNumber.delete(number);
  }

  end(member: PacketMember): void {
    for (const number of member.driver.numbers) this.forgetKey(member, number);
    member.driver.end();
    this.#routed.delete(member);
    if (this.#byFour.get(member.four) === member) this.#byFour.delete(member.four);
    const six = readU32(member.six, 12);
    if (this.#bySix.get(six) === member) this.#bySix.delete(six);
  }

  #fromTun(bytes: Uint8Array, start: number, end: number): void {
    const version = (bytes[start] ?? 0) >> 4;
    const member =
      this.#routedTo(bytes, start, version) ??
      (version === 4
        ? this.#byFour.get(readU32(bytes, start + at[4].destination))
        : this.#bySix.get(readU32(bytes, start + at[6].destination + 12)));
    if (member) member.driver.handleLocal(bytes, start, end);
    else this.counters.packetsAstray++;
  }

  /** By what is behind the boxes. Before their own addresses, of which only the end is looked at. */
  #routedTo(bytes: Uint8Array, start: number, version: number): PacketMember | undefined {
    for (const member of this.#routed) {
      const found =
        version === 4
          ? isBehind(member, bytes, start + at[4].destination, 4)
          : isBehind(member, bytes, start + at[6].destination, 16);
      if (found) return member;
    }
    return undefined;
  }

  /** A box speaks for itself and its LAN only: its packets would be answered by another box's session. */
  #toTun(member: PacketMember, slab: Slab, start: number, length: number): void {
    if (isFrom(member, slab.bytes, start) || isFromLan(member, slab.bytes, start)) this.#tun.write(slab, start, length);
    else this.counters.packetsSpoofed++;
  }
}

function isFrom({ four, six }: PacketMember, bytes: Uint8Array, start: number): boolean {
  if ((bytes[start] ?? 0) >> 4 === 4) return readU32(bytes, start + at[4].source) === four;
  for (let i = 0; i < 16; i++) if (bytes[start + at[6].source + i] !== six[i]) return false;
  return true;
}

/** Whether the address at an offset, of a family's length, is behind the box. */
function isBehind(member: PacketMember, bytes: Uint8Array, offset: number, length: 4 | 16): boolean {
  for (const network of member.lan) {
    if (network.address.length === length && withinAt(bytes, offset, network)) return true;
  }
  return false;
}

function isFromLan(member: PacketMember, bytes: Uint8Array, start: number): boolean {
  if (member.lan.length === 0) return false;
  return (bytes[start] ?? 0) >> 4 === 4
    ? isBehind(member, bytes, start + at[4].source, 4)
    : isBehind(member, bytes, start + at[6].source, 16);
}
