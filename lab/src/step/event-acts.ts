import { monotonicMs, run } from '@tresse/sys';

import type { Emulator } from '../emulator/index.ts';
import type { LabNames } from '../network/addresses.ts';
import { relayBack, relayEgress6, relayGone } from '../network/wiring.ts';
import type { Operators } from '../operator/operators.ts';
import type { Product } from '../product/product.ts';
import type { RelayAct } from '../scenario/event.ts';
import { linkChange } from '../scenario/line.ts';
import type { StepEvent } from '../scenario/scenario.ts';
import { udpPassageText } from '../scenario/udp-passage.ts';

/** What was done. */
export interface Act {
  /** Of the monotonic clock. */
  readonly atMs: number;
  readonly text: string;
  /** Empty where it was not done to a line. */
  readonly line: string;
  readonly effect: 'silent' | 'no carrier' | 'proxy dead' | 'returned' | 'changed';
  /** What puts the line right again, where something is wrong with it now. */
  readonly undo?: () => Promise<unknown>;
}

/** What events act on. */
export interface ActScene {
  readonly names: LabNames;
  readonly emulator: Emulator;
  readonly operators: Operators;
  readonly product: Product;
}

/** Does what the event says; `line` is the line meant, empty for events that are not about one. Throws what the lab throws. */
export async function act(scene: ActScene, event: StepEvent, line: string): Promise<Act> {
  const { emulator, operators } = scene;
  if (event.cut !== undefined) {
    const carrier = event.cut === 'carrier';
    const atMs = await (carrier ? emulator.cutCarrier(line) : emulator.cutSilent(line));
    const effect = carrier ? 'no carrier' : 'silent';
    const text = `${line} ${carrier ? 'loses its carrier' : 'falls silent'}`;
    return { atMs, line, effect, text, undo: () => emulator.restore(line) };
  }
  if (event.restore)
    return { atMs: await emulator.restore(line), line, effect: 'returned', text: `${line} comes back` };
  if (event.proxy !== undefined) return await actOnProxy(operators, event.proxy, line);
  if (event.nat === 'forgets') {
    const text = `the operator of ${line} forgets every connection`;
    return { atMs: await operators.natForgets(line), line, effect: 'changed', text };
  }
  if (event.nat === 'rebinds') {
    const text = `${line} has another public address and other ports`;
    return { atMs: await operators.natRebinds(line), line, effect: 'changed', text };
  }
  if (event.udp !== undefined) {
    const atMs = await emulator.policeUdp(line, event.udp === 'free' ? undefined : event.udp);
    return { atMs, line, effect: 'changed', text: `the operator of ${line} ${udpPassageText(event.udp)}` };
  }
  if (event.change !== undefined) return await change(emulator, event.change, line);
  return await actOnDaemon(scene, event);
}

async function actOnProxy(operators: Operators, what: NonNullable<StepEvent['proxy']>, line: string): Promise<Act> {
  if (what === 'returns') {
    const atMs = await operators.proxyReturns(line);
    return { atMs, line, effect: 'returned', text: `the proxy of ${line} comes back, and knows no connection` };
  }
  const atMs = await (what === 'dies' ? operators.proxyDies(line) : operators.proxyVanishes(line));
  const text = `the proxy of ${line} ${what === 'dies' ? 'dies, and acknowledges on' : 'vanishes'}`;
  return { atMs, line, effect: 'proxy dead', text, undo: () => operators.proxyReturns(line) };
}

async function change(emulator: Emulator, to: NonNullable<StepEvent['change']>, line: string): Promise<Act> {
  const { direction, ...given } = to;
  const link = linkChange(given);
  const atMs = await emulator.set(line, direction, link);
  const text = Object.entries(link).map(([key, value]) => `${key} ${value}`);
  return { atMs, line, effect: 'changed', text: `${line} now has ${text.join(', ')}` };
}

const daemonTexts: Record<RelayAct, string> = {
  stop: 'is stopped',
  start: 'is started',
  restart: 'is restarted',
  crash: 'is killed and started again',
  vanishes: 'cannot be reached any more',
  returns: 'can be reached again',
  'loses-ipv6': 'cannot reach the IPv6 internet any more',
  'regains-ipv6': 'reaches the IPv6 internet again',
};

async function actOnDaemon({ names, product }: ActScene, event: StepEvent): Promise<Act> {
  const room = event.relay === undefined ? 'box' : 'relay';
  const what = event.relay ?? event.box ?? 'start';
  const done = (atMs: number): Act => ({ atMs, line: '', effect: 'changed', text: `the ${room} ${daemonTexts[what]}` });
  if (what === 'loses-ipv6' || what === 'regains-ipv6') {
    const batch = relayEgress6(what === 'loses-ipv6' ? 'delete' : 'add');
    await run(['ip', '-n', names.relay, '-batch', '-'], { input: `${batch}\n` });
    return done(monotonicMs());
  }
  if (what === 'vanishes' || what === 'returns') {
    await run(['nft', '-f', '-'], { netns: names.core, input: what === 'vanishes' ? relayGone : relayBack });
    return done(monotonicMs());
  }
  return done(await product.act(room, what));
}
