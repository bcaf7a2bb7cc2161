import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';
import { z } from 'zod';

import { addresses, type LabNames, ports } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { pause } from '../process/in-turn.ts';
import type { CallWay } from '../report/call-figures.ts';
import { quantile } from '../report/quantile.ts';

const program = join(import.meta.dirname, '../clients/call-client.ts');
/** Until the callee listens. */
const startMs = 500;
/** Both ends wait for what is late, and then say what came. */
const endMs = 10_000;
/** The first packets find their way: who calls hears nothing yet either. */
const settleMs = 1_000;

const told = z.object({ sent: z.number(), came: z.array(z.tuple([z.number(), z.number(), z.number()])) });
type Told = z.output<typeof told>;

/** A call between the LAN host and the internet host, under way. */
export class Call {
  readonly #caller: Child;
  readonly #callee: Child;
  readonly #texts = { caller: '', callee: '' };

  private constructor(names: LabNames, everyMs: number, bytes: number) {
    const port = String(ports.call);
    const how = [String(everyMs), String(bytes)];
    this.#callee = new Child(names.inet, [execPath, program, 'callee', port, ...how]);
    this.#caller = new Child(names.lan, [execPath, program, 'caller', addresses.internetHost, port, ...how]);
    this.#callee.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (this.#texts.callee += piece));
    this.#caller.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (this.#texts.caller += piece));
  }

  static async begin(names: LabNames, everyMs: number, bytes: number): Promise<Call> {
    const call = new Call(names, everyMs, bytes);
    await pause(startMs);
    return call;
  }

  /** Ends it. Returns both directions' figures. Rejects with SystemError `CALL` where an end did not tell of any. */
  async end(): Promise<{ down: CallWay; up: CallWay }> {
    const { caller, callee } = { caller: this.#caller, callee: this.#callee };
    caller.process.stdin?.end();
    callee.process.stdin?.end();
    const stuck = setTimeout(() => {
      caller.process.kill('SIGKILL');
      callee.process.kill('SIGKILL');
    }, endMs);
    await Promise.all([caller.ended, callee.ended]);
    clearTimeout(stuck);
    const [near, far] = [toldBy(this.#texts.caller), toldBy(this.#texts.callee)];
    return { down: callWay(far.sent, near.came), up: callWay(near.sent, far.came) };
  }
}

function toldBy(text: string): Told {
  try {
    return told.parse(JSON.parse(text));
  } catch (error) {
    throw new SystemError('CALL', `an end of the call told nothing: ${text.slice(0, 200)}`, error);
  }
}

/** Figures of the packets that came, each with its number, when it was sent and when it came; those of the first second do not count. */
export function callWay(sentInAll: number, all: Told['came']): CallWay {
  const sinceMs = Math.min(...all.map(([, sentMs]) => sentMs)) + settleMs;
  const counted = all.filter(([, sentMs]) => sentMs >= sinceMs);
  const firsts = new Map<number, readonly [number, number]>();
  for (const [number, sentMs, cameMs] of counted) if (!firsts.has(number)) firsts.set(number, [sentMs, cameMs]);
  const first = Math.min(...firsts.keys(), sentInAll);
  const sent = sentInAll - first;
  const inTurn = [...firsts.values()].toSorted((a, b) => a[1] - b[1]);
  const delays = inTurn.map(([sentMs, cameMs]) => cameMs - sentMs);
  let jitter = 0;
  let jitterMs = 0;
  let gapMs = 0;
  for (let i = 1; i < inTurn.length; i++) {
    const [before, now] = [inTurn[i - 1], inTurn[i]];
    if (!before || !now) continue;
    gapMs = Math.max(gapMs, now[1] - before[1]);
    jitter += (Math.abs((delays[i] ?? 0) - (delays[i - 1] ?? 0)) - jitter) / 16;
    jitterMs = Math.max(jitterMs, jitter);
  }
  return {
    sent,
    lost: sent - firsts.size,
    delayMsMedian: quantile(delays, 0.5),
    delayMsP99: quantile(delays, 0.99),
    jitterMs,
    gapMs,
    doubled: counted.length - firsts.size,
  };
}
