import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { daemonStatus, type DaemonStatus } from '@tresse/schema';
import { run } from '@tresse/sys';

/** Where `ip netns` keeps its names. */
const namespaces = '/run/netns';
const tresse = join(import.meta.dirname, '../../bin/tresse');
/** Of this process alone: two runs on one machine do not meet. */
const prefix = `tct${process.pid}`;
const names = {
  lan: `${prefix}lan`,
  box: `${prefix}box`,
  relay: `${prefix}relay`,
  inet: `${prefix}inet`,
  lan2: `${prefix}lan2`,
  box2: `${prefix}box2`,
} as const;
/** One of the stage's namespaces. */
type Place = keyof typeof names;
/** A daemon on the stage. */
type Room = 'box' | 'relay' | 'box2';

const kindOf = (room: Room): 'box' | 'relay' => (room === 'relay' ? room : 'box');

/** The name of a namespace. */
export const nameOf = (one: Place): string => names[one];

/** A command in one of the stage's namespaces. Returns its output. */
export function at(place: Place, ...argv: string[]): Promise<string> {
  return atLength(place, 10_000, ...argv);
}

/** The same for a command that takes longer, ms. */
export function atLength(place: Place, timeoutMs: number, ...argv: string[]): Promise<string> {
  return run(argv, { netns: names[place], timeoutMs });
}

const begun = (...places: readonly Place[]): string =>
  places.map((place) => `netns add ${names[place]}\n-n ${names[place]} link set lo up`).join('\n');

/** A box with a LAN host; its wan1 and wan2 lead to the relay's namespace, as lines `line` and `line + 1`. */
function household(lan: Place, box: Place, line: number): string {
  const uplink = (n: 1 | 2): string => {
    const subnet = `10.0.${line + n - 1}`;
    const operator = `op${line + n - 1}`;
    return `
link add wan${n} netns ${names[box]} type veth peer name ${operator} netns ${names.relay}
-n ${names[box]} addr add ${subnet}.2/24 dev wan${n}
-n ${names.relay} addr add ${subnet}.1/24 dev ${operator}
-n ${names[box]} link set wan${n} up
-n ${names.relay} link set ${operator} up
-n ${names[box]} route add default via ${subnet}.1 dev wan${n} metric ${n * 10}
`;
  };
  return `
${begun(lan, box)}
link add lan0 netns ${names[box]} type veth peer name eth0 netns ${names[lan]}
-n ${names[box]} addr add 192.168.77.1/24 dev lan0
-n ${names[lan]} addr add 192.168.77.2/24 dev eth0
-n ${names[box]} link set lan0 up
-n ${names[lan]} link set eth0 up
-n ${names[lan]} route add default via 192.168.77.1
${uplink(1)}${uplink(2)}`;
}

/** The relay routes to the internet host. */
const internet = `
${begun('relay', 'inet')}
link add net0 netns ${names.relay} type veth peer name eth0 netns ${names.inet}
-n ${names.relay} addr add 203.0.113.1/32 dev lo
-n ${names.relay} addr add 198.51.100.1/24 dev net0
-n ${names.inet} addr add 198.51.100.10/24 dev eth0
-n ${names.relay} link set net0 up
-n ${names.inet} link set eth0 up
-n ${names.inet} route add default via 198.51.100.1
`;

const layout = internet + household('lan', 'box', 1);
/** Another household at the same relay. */
const secondHousehold = household('lan2', 'box2', 3);

/** A LAN host, a box of two lines, a relay and an internet host in namespaces, and the real daemons on demand. */
export class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tresse-stage-'));
  /** Options of Node's for daemons started from now on. */
  nodeOptions = '';
  readonly #children = new Map<string, ChildProcess>();
  #pins: Record<Room, string> = { box: '', relay: '', box2: '' };

  /** Makes the namespaces and the identities; on demand a second household of the same kind. */
  static async lay(households: 1 | 2 = 1): Promise<Stage> {
    await Stage.#sweep();
    const stage = new Stage();
    // A namespace must be there before the next line uses it; ip does each line in turn.
    await run(['sh', '-c', 'while read -r line; do [ -z "$line" ] || ip $line; done'], {
      input: households === 2 ? layout + secondHousehold : layout,
    });
    await at('relay', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const init = async (room: Room): Promise<string> => {
      const found = room === 'relay' ? ['--public', '203.0.113.1'] : [];
      const said = await run([tresse, kindOf(room), 'init', '--state', stage.#state(room), ...found]);
      return said.trim().split('\n').at(-1) ?? '';
    };
    const box2 = households === 2 ? await init('box2') : '';
    stage.#pins = { box: await init('box'), relay: await init('relay'), box2 };
    return stage;
  }

  /** Takes away what runs that were killed have left, and what this one had. */
  static async #sweep(): Promise<void> {
    const left = existsSync(namespaces) ? readdirSync(namespaces) : [];
    const ours = left.filter((name) => {
      const pid = /^tct(\d+)\D/u.exec(name)?.[1];
      return pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`));
    });
    await Promise.all(ours.map((name) => run(['ip', 'netns', 'del', name]).catch(() => '')));
  }

  /** The pin of a daemon's identity. */
  pinOf(room: Room): string {
    return this.#pins[room];
  }

  /** The process of a daemon that was started. */
  pidOf(room: Room): number {
    return this.#children.get(room)?.pid ?? 0;
  }

  /** Writes the daemons' configuration; `changes` are added to the boxes', `relayChanges` to the relay's. */
  configure(changes: object = {}, relayChanges: object = {}): void {
    const box = {
      uplinks: [
        { name: 'dsl', interface: 'wan1', kind: 'adsl' },
        { name: 'fibre', interface: 'wan2', kind: 'fibre' },
      ],
      lan: { interfaces: ['lan0'] },
      relay: { addresses: ['203.0.113.1'], pin: this.#pins.relay },
    };
    const boxes = [{ name: 'home', pin: this.#pins.box }];
    if (this.#pins.box2 !== '') boxes.push({ name: 'office', pin: this.#pins.box2 });
    for (const room of ['box', 'box2'] as const) {
      writeFileSync(this.#config(room), JSON.stringify({ ...box, ...changes }));
    }
    writeFileSync(this.#config('relay'), JSON.stringify({ boxes, ...relayChanges }));
  }

  /** Starts a daemon in its namespace, with more options. */
  start(room: Room, ...options: string[]): void {
    const files = ['--state', this.#state(room), '--config', this.#config(room)];
    const argv = [kindOf(room), 'run', ...files, '--log-level', 'debug', ...options];
    const env = this.nodeOptions === '' ? process.env : { ...process.env, NODE_OPTIONS: this.nodeOptions };
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn('ip', ['netns', 'exec', names[room], tresse, ...argv], { stdio: [...stdio], env });
    child.stderr.pipe(createWriteStream(this.#log(room), { flags: 'a' }));
    this.#children.set(room, child);
  }

  /** Ends a daemon by a signal. Resolves to its exit status once it is gone. */
  async end(room: Room, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#children.get(room);
    if (!child) return null;
    this.#children.delete(room);
    if (child.exitCode !== null) return child.exitCode;
    child.kill(signal);
    await once(child, 'exit');
    return child.exitCode;
  }

  /** A program that runs until the end in one of the namespaces, or until what is returned is called. */
  serve(place: Place, ...argv: string[]): () => Promise<void> {
    const child = spawn('ip', ['netns', 'exec', names[place], ...argv], { stdio: 'ignore' });
    this.#children.set([place, ...argv].join(' '), child);
    return async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    };
  }

  /** A command of `tresse` in a namespace, on a daemon's state directory or another of this name. Returns its output. */
  tresse(place: Place, state: string, ...argv: string[]): Promise<string> {
    return at(place, tresse, ...argv, '--state', join(this.folder, state));
  }

  /** The path of a daemon's configuration. */
  config(room: Room): string {
    return this.#config(room);
  }

  /** The path of a file in a state directory. */
  file(state: string, name: string): string {
    return join(this.folder, state, name);
  }

  /** The same for one whose output is wanted. */
  listen(place: Place, ...argv: string[]): { text: () => string } {
    const child = spawn('ip', ['netns', 'exec', names[place], ...argv], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    this.#children.set([place, ...argv].join(' '), child);
    return { text: () => said };
  }

  /** `tresse status` of a daemon: as JSON, or as people see it. */
  async status(room: Room, ...options: string[]): Promise<string> {
    return run([tresse, 'status', '--state', this.#state(room), ...options]);
  }

  /** What a daemon says of itself now. */
  async statusOf(room: Room): Promise<DaemonStatus> {
    return daemonStatus.parse(JSON.parse(await this.status(room, '--json')));
  }

  /** A daemon's log so far. */
  log(room: Room): string {
    return readFileSync(this.#log(room), 'utf8');
  }

  /** Ends everything and removes it. */
  async clear(): Promise<void> {
    for (const child of this.#children.values()) child.kill('SIGKILL');
    await Stage.#sweep();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #state(room: Room): string {
    return join(this.folder, room);
  }

  #config(room: Room): string {
    return join(this.folder, `${room}.yaml`);
  }

  #log(room: Room): string {
    return join(this.folder, `${room}.log`);
  }
}

/** What the box's kernel holds, as text: rules, routes, nftables and the settings a box changes. */
export async function kernelOfBox(): Promise<string> {
  const parts = await Promise.all([
    at('box', 'ip', 'rule', 'show'),
    at('box', 'ip', '-6', 'rule', 'show'),
    at('box', 'ip', '-4', 'route', 'show', 'table', 'all'),
    at('box', 'ip', '-6', 'route', 'show', 'table', 'all', 'proto', '200'),
    at('box', 'nft', '-s', 'list', 'ruleset'),
    at('box', 'sysctl', '-a', '-r', String.raw`^net\.ipv4\.(ip_forward|conf\..*)`),
  ]);
  return parts.join('\n');
}

/** What the relay's kernel holds of what a relay changes, as text. */
export async function kernelOfRelay(): Promise<string> {
  const parts = await Promise.all([
    at('relay', 'nft', '-s', 'list', 'ruleset'),
    at('relay', 'ip', '-4', 'route', 'show', 'table', 'all'),
    at('relay', 'ip', '-6', 'route', 'show', 'table', 'all', 'proto', '200'),
    at('relay', 'sysctl', '-a', '-r', String.raw`^net\.ipv[46]\.conf\..*forwarding`),
  ]);
  return parts.join('\n');
}
