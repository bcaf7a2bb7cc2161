import { expect, test } from 'vitest';

import { DatagramFlight } from '../../src/packet/datagram-flight.ts';
import { UdpWatch } from '../../src/packet/udp-watch.ts';
import { Strand } from '../../src/strand/strand.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { idleInfo } from '../idle-info.ts';

const packetBytes = 1_000;
const stepMs = 20;

/** A path with a strand beside UDP, both driven by what is offered and what each lets through. */
class Bench {
  readonly watch = new UdpWatch();
  readonly flight = new DatagramFlight();
  nowMs = 0;
  strand: Strand | undefined;
  #came = 0;

  /** Packets in every 20 ms for so long, of which UDP lets a share through and the strand another; nothing is heard where `heard` is false. */
  run(ms: number, packets: number, udpShare: number, strandShare: number, heard = true): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs += stepMs) {
      const inStrand = this.strand && this.watch.state !== 'open';
      if (inStrand) this.#carry(packets * strandShare);
      else for (let i = 0; i < packets; i++) this.flight.give(packetBytes, false, this.nowMs);
      if (heard && this.flight.next > 0) this.#report(inStrand ? 0 : packets * udpShare);
      this.watch.look(this.flight, this.strand, 30, this.nowMs);
    }
  }

  open(): void {
    this.strand = new Strand(1, 1, StrandRole.datagram, 'answered', this.nowMs);
  }

  #carry(packets: number): void {
    const bytesAcked = (this.strand?.bytesAcked ?? 0) + packets * packetBytes;
    this.strand?.update({ ...idleInfo, bytesAcked }, this.nowMs);
  }

  #report(packets: number): void {
    this.#came += packets;
    this.flight.take(
      {
        path: 1,
        highest: this.flight.next - 1,
        arrivedUs: this.nowMs * 1_000,
        waitedUs: 0,
        packets: this.#came,
        bytes: this.#came * packetBytes,
        largest: packetBytes,
      },
      this.nowMs,
    );
  }
}

test('UDP of which nothing is heard is blocked after half a second, wants a strand, and is open again at the first report', () => {
  const bench = new Bench();
  bench.run(400, 1, 0, 0, false);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: false });
  bench.run(200, 1, 0, 0, false);
  expect(bench.watch).toMatchObject({ state: 'blocked', wantsStrand: true, fallbacks: 1 });
  bench.run(stepMs, 1, 1, 0);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: true });
  bench.run(31_000, 1, 1, 0);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: false, fallbacks: 1 });
});

test('a line that loses a tenth needs no strand', () => {
  const bench = new Bench();
  bench.run(5_000, 10, 0.9, 0);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: false, fallbacks: 0 });
});

test('UDP that is held down is left for a strand that brings more, and tried again now and then', () => {
  const bench = new Bench();
  bench.run(600, 10, 0.1, 0);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: true });
  bench.open();
  bench.run(600, 10, 0.1, 1);
  expect(bench.watch.state).toBe('limited');
  let open = 0;
  for (let i = 0; i < 3_000; i++) {
    bench.run(stepMs, 10, 0.1, 1);
    if (bench.watch.state === 'open') open += stepMs;
  }
  // A minute: tried after 10, 20 and more seconds, a quarter of a second each.
  expect(open).toBeGreaterThanOrEqual(200);
  expect(open).toBeLessThan(1_500);
  bench.run(61_000, 10, 1, 1);
  expect(bench.watch.state).toBe('open');
});

test('a strand that brings no more is left again, and not tried at once', () => {
  const bench = new Bench();
  bench.open();
  bench.run(600, 10, 0.7, 0.7);
  expect(bench.watch.state).toBe('limited');
  bench.run(1_600, 10, 0.7, 0.7);
  expect(bench.watch.state).toBe('open');
  bench.run(8_000, 10, 0.7, 0.7);
  expect(bench.watch).toMatchObject({ state: 'open', fallbacks: 1 });
});

test('what the peer sends by the strand is shown for a while, and keeps the strand', () => {
  const bench = new Bench();
  bench.run(stepMs, 1, 1, 0);
  bench.watch.noteInStrand(bench.nowMs);
  bench.run(2_000, 1, 1, 0);
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: true });
  expect(bench.watch.shown(bench.nowMs)).toBe('limited');
  bench.run(2_000, 1, 1, 0);
  expect(bench.watch.shown(bench.nowMs)).toBe('open');
});

test('what the peer loses on its way here makes the box open a strand, too', () => {
  const bench = new Bench();
  bench.run(stepMs, 1, 1, 0);
  for (let i = 0; i < 30; i++) {
    bench.watch.notePeer(i * 10, i * 7, bench.nowMs);
    bench.run(stepMs, 0, 1, 0);
  }
  expect(bench.watch).toMatchObject({ state: 'open', wantsStrand: true });
});
