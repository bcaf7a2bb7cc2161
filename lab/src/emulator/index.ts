import { BugError, SystemError, UserError } from '@tresse/kit';
import { checkedSpec, type DirectionSpec } from '@tresse/sim';
import { closeFd, inNetns, openTap, setCarrier, WorkerHost } from '@tresse/sys';

import type { DirectionCounters } from './direction.ts';
import type { Answer, Command, DirectionName, WorkerData, WorkerLine } from './messages.ts';
import { lengthenQueue, type LineEnd, preferThread, sendDrops } from './system.ts';
import type { UdpPolicy } from './udp-policer.ts';

export type { LineEnd } from './system.ts';
export type { DirectionCounters } from './direction.ts';
export type { DirectionName } from './messages.ts';
export type { UdpPolicy } from './udp-policer.ts';

/** An access line between a box and its operator. */
export interface EmulatedLine {
  readonly name: string;
  readonly box: LineEnd;
  readonly operator: LineEnd;
  /** Operator to box. */
  readonly down: DirectionSpec;
  /** Box to operator. */
  readonly up: DirectionSpec;
}

export interface LineCounters {
  readonly name: string;
  readonly down: DirectionCounters;
  readonly up: DirectionCounters;
}

/** Packets the kernel dropped because the emulator did not fetch them in time: none, or the lines were not as specified. */
export interface UnreadDrops {
  readonly name: string;
  readonly down: number;
  readonly up: number;
}

/**
 * Makes the lines' interfaces (TAP, down, without addresses, MTU 1500) and begins to move frames between them, in a worker thread of its own. Resolves
 * when it does. The interfaces go with `stop` or with the process. `onFault` hears once, as a sentence with a stack, when the worker died: then
 * nothing moves any more and the measurement is void. Throws ErrnoError when an interface cannot be made, UserError for a line
 * that cannot be.
 */
export async function startEmulator(
  lines: readonly EmulatedLine[],
  seed: number,
  onFault: (stack: string) => void = () => {},
): Promise<Emulator> {
  for (const { down, up } of lines) {
    checkedSpec(down);
    checkedSpec(up);
  }
  const devices = openDevices(lines);
  const emulator = new Emulator(lines, devices, seed, onFault);
  try {
    await emulator.ready;
    await Promise.all(lines.flatMap(({ box, operator }) => [box, operator]).map(lengthenQueue));
    return emulator;
  } catch (error) {
    await emulator.stop();
    throw error;
  }
}

/** Running lines. Commands act within a millisecond or two; each resolves with the CLOCK_MONOTONIC ms by which it had acted. */
export class Emulator {
  /** Resolves when frames move; rejects with SystemError `EMULATOR` when they never will. */
  readonly ready: Promise<void>;
  readonly #lines: readonly EmulatedLine[];
  readonly #devices: readonly WorkerLine[];
  readonly #specs: Record<DirectionName, DirectionSpec>[];
  readonly #host: WorkerHost<Command, Answer, WorkerData>;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #onFault: (stack: string) => void;
  #nextId = 1;
  #ended: SystemError | undefined;
  #stopping: Promise<void> | undefined;

  /** Use {@link startEmulator}. */
  constructor(
    lines: readonly EmulatedLine[],
    devices: readonly WorkerLine[],
    seed: number,
    onFault: (stack: string) => void,
  ) {
    this.#lines = lines;
    this.#devices = devices;
    this.#specs = lines.map(({ down, up }) => ({ down, up }));
    this.#onFault = onFault;
    const ready = Promise.withResolvers<Answer>();
    this.#waiting.set(0, ready);
    this.ready = ready.promise.then(async ({ thread = 0 }) => preferThread(thread));
    this.#host = new WorkerHost(
      new URL('worker.ts', import.meta.url),
      { lines: devices, seed },
      {
        onMessage: (answer) => this.#answered(answer),
        onFault: ({ stack }) => this.#died(stack),
      },
    );
  }

  /** Changes a line's properties from now on. Rejects with UserError for what cannot be. */
  async set(line: string, direction: DirectionName | 'both', change: Partial<DirectionSpec>): Promise<number> {
    const index = this.#indexOf(line);
    const specs = this.#specs[index];
    const names = direction === 'both' ? (['down', 'up'] as const) : [direction];
    const acted = names.map(async (name) => {
      if (specs) specs[name] = checkedSpec({ ...specs[name], ...change });
      return this.#call({ id: this.#nextId++, act: 'set', line: index, direction: name, change });
    });
    return Math.max(...(await Promise.all(acted)).map(({ atMs }) => atMs));
  }

  /** The line's operator lets through of UDP what the policy says from now on, or all of it. */
  async policeUdp(line: string, policy: UdpPolicy | undefined): Promise<number> {
    return (await this.#call({ id: this.#nextId++, act: 'police', line: this.#indexOf(line), policy })).atMs;
  }

  /** Both directions go silent: what is queued or on the wire is lost too. Nobody is told. */
  async cutSilent(line: string): Promise<number> {
    return (await this.#call({ id: this.#nextId++, act: 'cut', line: this.#indexOf(line) })).atMs;
  }

  /** Like {@link cutSilent}, and the box sees its interface lose the carrier. */
  async cutCarrier(line: string): Promise<number> {
    const cut = this.cutSilent(line);
    this.#carrier(line, false);
    return cut;
  }

  /** Undoes both kinds of cut. */
  async restore(line: string): Promise<number> {
    const restored = this.#call({ id: this.#nextId++, act: 'restore', line: this.#indexOf(line) });
    this.#carrier(line, true);
    return (await restored).atMs;
  }

  /** Of all lines in their order, since the start. */
  async counters(): Promise<LineCounters[]> {
    const { counters } = await this.#call({ id: this.#nextId++, act: 'counters' });
    return this.#lines.map(({ name }, i) => {
      const of = counters?.[i];
      if (!of) throw new BugError('EMULATOR_COUNTERS', `the emulator counted nothing for the line ${name}`);
      return { name, ...of };
    });
  }

  /** Asks the kernel what it dropped for want of room in the interfaces' queues, since the start. */
  async unreadDrops(): Promise<UnreadDrops[]> {
    return Promise.all(
      this.#lines.map(async ({ name, box, operator }) => {
        const [down, up] = await Promise.all([sendDrops(operator), sendDrops(box)]);
        return { name, down, up };
      }),
    );
  }

  /** Ends the worker and removes the interfaces. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#end(new SystemError('EMULATOR', 'the line emulator was stopped'));
    await this.#host.stop();
    for (const { boxFd, operatorFd } of this.#devices) {
      closeFd(boxFd);
      closeFd(operatorFd);
    }
  }

  #carrier(line: string, on: boolean): void {
    const device = this.#devices[this.#indexOf(line)];
    if (device) setCarrier(device.boxFd, on);
  }

  #indexOf(line: string): number {
    const index = this.#lines.findIndex(({ name }) => name === line);
    if (index >= 0) return index;
    const names = this.#lines.map(({ name }) => name).join(', ');
    throw new UserError('LINE_UNKNOWN', `there is no line ${line}; there are ${names}`);
  }

  #call(command: Command): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(command.id, answer);
    this.#host.post(command);
    return answer.promise;
  }

  #answered(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #died(stack: string): void {
    const [first = ''] = stack.split('\n');
    this.#end(new SystemError('EMULATOR', `the line emulator died: ${first}`));
    // The host would begin another worker, whose lines would be as new: no honest measurement.
    void this.stop();
    this.#onFault(stack);
  }

  #end(reason: SystemError): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function openDevices(lines: readonly EmulatedLine[]): WorkerLine[] {
  const fds: number[] = [];
  const open = ({ netns, ifname }: LineEnd): number => {
    const fd = inNetns(netns, () => openTap(ifname).fd);
    fds.push(fd);
    return fd;
  };
  try {
    return lines.map(({ box, operator, down, up }) => ({ boxFd: open(box), operatorFd: open(operator), down, up }));
  } catch (error) {
    fds.forEach(closeFd);
    throw error;
  }
}
