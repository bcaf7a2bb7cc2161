/** What must hold in every world: while it runs, and when all faults are healed and all streams have ended. */
import { limits } from '@tresse/core';

import type { Endpoint } from './endpoint.ts';
import type { PeerOutcome, PeerSpec } from './local-peer.ts';
import type { Flow, World } from './world.ts';

/** A slab may be larger than what it holds, and is read into by 16 or 64 KiB. */
const slabSlack = 4;
const streamSlackBytes = 131_072;

/** Checks one side's memory; returns what is wrong, or undefined. */
export function memoryFault(endpoint: Endpoint): string | undefined {
  const { session, pool } = endpoint;
  let held = 0;
  let kept = 0;
  let windows = 0;
  for (const stream of session.streams.values()) {
    held += stream.send.heldBytes;
    kept += stream.receive.heldBytes;
    windows += stream.credit.windowBytes;
    const window = Math.max(stream.credit.windowBytes, limits.creditFloorBytes);
    if (stream.receive.heldBytes > window) return `stream ${stream.id} keeps ${stream.receive.heldBytes} of ${window}`;
    if (stream.credit.windowBytes > limits.creditWindowBytesMax) return `stream ${stream.id}: window too large`;
  }
  if (session.heldBytes !== held) return `${session.heldBytes} bytes held in the books, ${held} in truth`;
  if (held > limits.sendBudgetBytes + session.streams.size * limits.sendFloorBytes) return `${held} bytes held`;
  if (kept > windows) return `${kept} bytes received and kept, windows of ${windows}`;
  const most = held * 2 + kept * slabSlack + session.streams.size * streamSlackBytes;
  return pool.usedBytes > most ? `${pool.usedBytes} bytes of slabs for ${held} and ${kept}` : undefined;
}

/** Checks the end of a world; returns all that is wrong. */
export function endFaults(world: World): string[] {
  const faults: string[] = [];
  for (const side of ['box', 'relay'] as const) {
    const { session, pool, violations } = world[side];
    faults.push(...violations.map((v) => `${side} counted a violation: ${v}`));
    if (session.streams.size > 0) faults.push(`${side} still has ${session.streams.size} streams`);
    if (session.heldBytes !== 0) faults.push(`${side} holds ${session.heldBytes} bytes`);
    if (pool.usedBytes !== 0) faults.push(`${side} has not given back ${pool.usedBytes} bytes`);
    const lent = limits.receiveBudgetBytes - world.budgets[side].freeBytes;
    if (lent !== 0) faults.push(`${side} has not given back ${lent} bytes of credit`);
  }
  for (const flow of world.flows) {
    faults.push(...flowFaults(flow).map((f) => `stream ${flow.number} (${JSON.stringify(flow.spec)}): ${f}`));
  }
  return faults;
}

function flowFaults(flow: Flow): string[] {
  const { spec } = flow;
  const box = flow.box?.outcome;
  const relay = flow.relay?.outcome;
  if (!box) return ['never opened'];
  const torn = [...tornFaults('box', box, spec.relay), ...(relay ? tornFaults('relay', relay, spec.box) : [])];
  if (torn.length > 0) return torn;
  if (flow.interrupted) {
    const over = flow.box?.over === true && flow.relay?.over !== false;
    return over ? [] : ['its session has ended, and it has not'];
  }
  if (box.resets) {
    // The other end learns of it, unless it was through already or had not connected yet.
    return !relay || relay.reset !== undefined || relay.released || relay.resets ? [] : ['relay side saw no reset'];
  }
  if (spec.refused) return box.reset === undefined ? ['refused, but the box side saw no reset'] : [];
  if (!relay) return ['never connected'];
  if (relay.resets) {
    return box.reset !== undefined || box.released ? [] : ['box side saw no reset'];
  }
  return [...sideFaults('box', box, spec.box, spec.relay), ...sideFaults('relay', relay, spec.relay, spec.box)];
}

/** However a stream ended: what looks whole is whole. */
const tornFaults = (side: string, { ended, taken }: PeerOutcome, other: PeerSpec): string[] =>
  ended && taken !== other.bytes ? [`${side} side took the end for whole after ${taken} of ${other.bytes}`] : [];

function sideFaults(side: string, outcome: PeerOutcome, own: PeerSpec, other: PeerSpec): string[] {
  const faults: string[] = [];
  if (outcome.reset !== undefined) faults.push(`${side} side was reset (${outcome.reset})`);
  if (!outcome.ended) faults.push(`${side} side never saw the end`);
  if (!outcome.released) faults.push(`${side} side was never released`);
  if (outcome.taken !== other.bytes) faults.push(`${side} side took ${outcome.taken} of ${other.bytes}`);
  if (outcome.given !== own.bytes) faults.push(`${side} side gave ${outcome.given} of ${own.bytes}`);
  return faults;
}
