/** Runs the packet world of a seed: faults first, safety all the while; then everything is healed, and the rate must be back. */
import { BugError } from '@tresse/kit';

import { drawPacketWorld, type PacketWorldSpec } from './draw-packet-world.ts';
import { slotCount } from './packet-end.ts';
import { healPackets, inflictOnPackets } from './packet-faults.ts';
import { SendingWatch } from './packet-pace-watch.ts';
import { PacketWorld } from './packet-world.ts';

export interface PacketWorldReport {
  readonly seed: number;
  /** Packets that came, at both ends. */
  readonly arrived: number;
  /** Of what the lines carry once they are healed and known, the flow that fills them has so much. */
  readonly share: number;
  /** The most that was sent to a line, of what it carries. */
  readonly excess: number;
  readonly heldMsMax: number;
}

/** Of the possible, in the worst of worlds. */
const shareMin = 0.5;
const excessMax = 1.25;
/** Where clocks leap queues are hard to see. */
const excessMaxLeaping = 2.5;
/** The resequencer's longest deadline, and what a clock that is read at events may miss, ms. */
const holdMsMax = 300 + 1;
const checkMs = 50;
/** Of a datagram on the wire beside its packet. */
const overheadBytes = 67;
const drainMs = 5_000;
const firstBytes = 8_688;
const startGain = 1.3;
const startRtts = 2;

/**
 * Runs one world. Throws a BugError that names the seed and the command that runs it again when anything that must hold
 * does not.
 */
export function runPacketWorld(seed: number): PacketWorldReport {
  try {
    return judged(drawPacketWorld(seed));
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    const again = `TRESSE_SEED=${seed} npx vitest run --project sim sim/test/packet-worlds.test.ts`;
    throw new BugError('WORLD', `packet world ${seed}: ${what}\nrun it again: ${again}`, thrown);
  }
}

function judged(spec: PacketWorldSpec): PacketWorldReport {
  const world = new PacketWorld(spec.seed, spec.lines);
  const watch = play(world, spec);
  const report = measure(world, spec, watch);
  const wrong = [...new Set(world.wrongs), ...memoryWrongs(world), ...strayWrongs(world, spec)];
  const frozenMs = spec.faults.reduce((sum, { kind, amount }) => sum + (kind === 'freeze' ? amount : 0), 0);
  if (report.heldMsMax > holdMsMax + frozenMs) wrong.push(`a packet was held for ${report.heldMsMax} ms`);
  const leaps = spec.faults.some(({ kind }) => kind === 'leap');
  if (report.excess > (leaps ? excessMaxLeaping : excessMax))
    wrong.push(`a line was sent ${report.excess.toFixed(2)} of what it carries for over a second: ${watch.worst}`);
  if (report.share < shareMin) wrong.push(`${report.share.toFixed(3)} of the possible rate`);
  if (wrong.length > 0) throw new BugError('WORLD_END', wrong.slice(0, 8).join('\n  '));
  return report;
}

function play(world: PacketWorld, spec: PacketWorldSpec): SendingWatch {
  const { clock } = world;
  for (const { from, flow, bytes, bps, fromMs, untilMs } of [...spec.flows, spec.flood]) {
    world.flow(from, flow, bytes, bps, fromMs, untilMs);
  }
  for (const fault of spec.faults) clock.at(fault.atMs, () => inflictOnPackets(world, spec.lines, fault));
  clock.at(spec.healMs, () => healPackets(world, spec.lines));
  const watch = new SendingWatch(world, spec);
  for (let ms = checkMs; ms <= spec.endMs; ms += checkMs) {
    clock.run(ms);
    watch.look();
    world.attack();
  }
  clock.run(spec.endMs + drainMs);
  return watch;
}

function measure(world: PacketWorld, spec: PacketWorldSpec, watch: SendingWatch): PacketWorldReport {
  const { flood, backMs, endMs } = spec;
  const at = flood.from === 'box' ? world.relay : world.box;
  const came = at.arrivals.filter(({ flow, atMs }) => flow === flood.flow && atMs >= backMs && atMs < endMs).length;
  const possible = ((possibleBps(spec) / 8_000) * (endMs - backMs)) / (flood.bytes + overheadBytes);
  return {
    seed: spec.seed,
    arrived: world.box.arrivals.length + world.relay.arrivals.length,
    share: came / possible,
    excess: watch.excess,
    heldMsMax: Math.max(world.box.heldMsMax, world.relay.heldMsMax),
  };
}

/** What the lines carry; of one far away as much as is found out by then, beginning with a few packets, and so much more each round trip. */
function possibleBps({ lines, flood, healMs, backMs }: PacketWorldSpec): number {
  return lines.reduce((sum, { down, up }) => {
    const rttMs = down.delayMs + up.delayMs;
    const rounds = (backMs - healMs) / rttMs - startRtts;
    const foundBps = (firstBytes * startGain ** rounds * 8_000) / rttMs;
    return sum + Math.min(foundBps, (flood.from === 'box' ? up : down).rateBps);
  }, 0);
}

function memoryWrongs(world: PacketWorld): string[] {
  const wrongs: string[] = [];
  for (const side of ['box', 'relay'] as const) {
    const { lane, slots, paths } = world[side];
    if (lane.malformed > 0) wrongs.push(`${side} counted ${lane.malformed} malformed bodies`);
    if (slots.used > slotCount) wrongs.push(`${side} uses ${slots.used} places`);
    if (lane.order.held > 0) wrongs.push(`${side} holds ${lane.order.held} packets at the end`);
    for (const { id, datagrams } of paths.values()) {
      if (datagrams.packetsInFlight > 65_536)
        wrongs.push(`${side} keeps ${datagrams.packetsInFlight} datagrams of path ${id} in mind`);
    }
  }
  return wrongs;
}

/** Packets that came to the side they were sent from. */
function strayWrongs(world: PacketWorld, { flows, flood }: PacketWorldSpec): string[] {
  return [...flows, flood].flatMap(({ from, flow }) =>
    world[from].arrivals.some((arrival) => arrival.flow === flow) ? [`flow ${flow} came back to the ${from}`] : [],
  );
}
