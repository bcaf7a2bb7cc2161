/** Box and relay as they are in the field: the real programs, here both pinned to one core. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

import { cores, Pinned } from './pinned.ts';
import { at, netns } from './stage.ts';

const tresse = join(import.meta.dirname, '../bin/tresse');
const readyMsMax = 15_000;
const pollMs = 50;

type Room = 'box' | 'relay';

export interface Product {
  readonly box: Pinned;
  readonly relay: Pinned;
}

/** Makes the identity in the folder and returns its pin. Throws CommandError, SystemError `BENCH`. */
async function makeIdentity(room: Room, folder: string): Promise<string> {
  const state = join(folder, room);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const example = join(folder, `${room}.example.yaml`);
  const found = room === 'relay' ? ['--public', '203.0.113.1'] : [];
  const init = [tresse, room, 'init', '--state', state, '--config', example, ...found];
  const words = await run(init, { timeoutMs: 20_000 });
  const pin = /^[\w-]{43}$/mu.exec(words)?.[0];
  if (pin === undefined) throw new SystemError('BENCH', `"tresse ${room} init" printed no pin: ${words.trim()}`);
  return pin;
}

function start(room: Room, folder: string, config: unknown): Pinned {
  const file = join(folder, `${room}.yaml`);
  writeFileSync(file, JSON.stringify(config));
  const profile = process.env['TRESSE_BENCH_PROFILE'];
  return new Pinned([tresse, room, 'run', '--config', file, '--state', join(folder, room)], {
    netns: netns[room],
    core: cores.measured,
    log: join(folder, `${room}.log`),
    ...(profile === undefined ? {} : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(profile, room)}` } }),
  });
}

/** Whether the box says that a path is up. */
async function pathIsUp(folder: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request(
      { socketPath: join(folder, 'box', 'api.sock'), path: '/v1/status', timeout: 1_000 },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => (body += piece));
        answer.on('end', () => resolve(/"state":\s*"up"/u.test(body)));
        answer.on('error', () => resolve(false));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

async function ready(product: Product, folder: string, endMs: number): Promise<void> {
  if (await pathIsUp(folder)) return;
  if (product.box.gone || product.relay.gone || performance.now() > endMs) {
    const words = (['box', 'relay'] as const).map((room) =>
      readFileSync(join(folder, `${room}.log`), 'utf8').slice(-500),
    );
    throw new SystemError('BENCH', `box and relay are not ready: ${words.join('\n')}`);
  }
  await new Promise((resolve) => setTimeout(resolve, pollMs));
  await ready(product, folder, endMs);
}

/** Starts both and returns when the line is up. Throws CommandError, SystemError `BENCH`. */
export async function startProduct(folder: string): Promise<Product> {
  const relayPin = await makeIdentity('relay', folder);
  const boxPin = await makeIdentity('box', folder);
  const product = {
    relay: start('relay', folder, { boxes: [{ name: 'bench', pin: boxPin }] }),
    box: start('box', folder, {
      uplinks: [{ name: 'wan1', interface: 'wan1', gateway: at.relayLine, kind: 'fibre' }],
      lan: { interfaces: ['lan0'] },
      relay: { addresses: [at.relay], pin: relayPin },
    }),
  };
  try {
    await ready(product, folder, performance.now() + readyMsMax);
    return product;
  } catch (error) {
    await stopProduct(product);
    throw error;
  }
}

/** Ends both, the box first. */
export async function stopProduct(product: Product): Promise<void> {
  await product.box.stop();
  await product.relay.stop();
}
