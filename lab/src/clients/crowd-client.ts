import { createInterface } from 'node:readline';

import { Content } from '../measure/content.ts';
import { inTurn, pause } from '../process/in-turn.ts';
import { quantile } from '../report/quantile.ts';
import type { CrowdNote, CrowdOrder } from './crowd-orders.ts';
import { type Exchange, Talker } from './talker.ts';

/** Started by the runner in a client's namespace: `node crowd-client.ts ADDRESS PORT BYTES SEED`. Does what its stdin says, and ends with it. */
const [address = '', port = '', bytes = '', seed = ''] = process.argv.slice(2);
/** As many connections are made at the same time. */
const together = 50;
const patienceMs = 10_000;
const content = new Content(Number(seed));
const talkers: Talker[] = [];
let made = 0;

async function open(count: number): Promise<Exchange[]> {
  const groups = Array.from({ length: Math.ceil(count / together) }, (_, i) =>
    Math.min(together, count - i * together),
  );
  const exchanges = await inTurn(groups, async (size) => {
    const group = Array.from({ length: size }, () => new Talker(address, Number(port), content, made++, Number(bytes)));
    talkers.push(...group);
    return await Promise.all(group.map((talker) => talker.exchange(patienceMs)));
  });
  return exchanges.flat();
}

async function talk(everyMs: number, forMs: number): Promise<Exchange[]> {
  const rounds = Array.from({ length: Math.max(1, Math.floor(forMs / everyMs)) }, (_, i) => i);
  const all = talkers.map(async (talker, i) => {
    await pause((everyMs * i) / talkers.length);
    return await inTurn(rounds, async () => {
      const [exchange] = await Promise.all([talker.exchange(patienceMs), pause(everyMs)]);
      return exchange;
    });
  });
  return (await Promise.all(all)).flat();
}

async function obey(order: CrowdOrder): Promise<Exchange[]> {
  if (order.do === 'open') return await open(order.count);
  if (order.do === 'talk') return await talk(order.everyMs, order.forMs);
  await Promise.all(talkers.splice(0).map((talker) => talker.reset()));
  return [];
}

function noteOf(exchanges: readonly Exchange[]): CrowdNote {
  const right = exchanges.flatMap(({ ms }) => ms ?? []);
  return {
    open: talkers.filter((talker) => talker.open).length,
    exchanges: exchanges.length,
    right: right.length,
    msMedian: quantile(right, 0.5),
    msMax: quantile(right, 1),
    why: exchanges.find(({ ms }) => ms === null)?.why ?? '',
  };
}

process.on('SIGINT', () => undefined);
for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(noteOf(await obey(JSON.parse(line) as CrowdOrder)))}\n`);
process.exit(0);
