import { run, writeSysctl } from '@tresse/sys';

import type { LineSpec } from '../scenario/scenario.ts';
import type { LabNames } from './addresses.ts';
import { type CongestionControl, congestionControl } from './congestion-control.ts';
import {
  boxSettings,
  everywhere,
  hostSettings,
  ipv6RouterSettings,
  natSettings,
  proxySettings,
  routerSettings,
} from './kernel-settings.ts';
import { sweep } from './sweep.ts';
import { accessInterface, farInterfaces, type Wiring, wiringOf } from './wiring.ts';

const patience = { timeoutMs: 20_000 };

/** What ties the lines' two ends together, and lets go of them. */
export interface LineDriver {
  stop(): Promise<void>;
}

/** One line's two interfaces, which the driver makes. */
export interface LineEnds {
  readonly spec: LineSpec;
  readonly box: { netns: string; ifname: string };
  readonly operator: { netns: string; ifname: string };
}

/** What not every one of them has. */
export interface InternetWishes {
  /** The wire to the far host. */
  readonly far?: LineSpec | undefined;
  /** The box forwards IPv6 before Tresse is started. */
  readonly ipv6Router?: boolean | undefined;
}

/** The lab's little internet: namespaces, wires, addresses, routes and the operators' NAT. */
export class Internet<Driver extends LineDriver> {
  readonly names: LabNames;
  readonly lines: readonly LineSpec[];
  readonly driver: Driver;
  readonly congestion: CongestionControl;

  private constructor(names: LabNames, lines: readonly LineSpec[], driver: Driver, congestion: CongestionControl) {
    this.congestion = congestion;
    this.names = names;
    this.lines = lines;
    this.driver = driver;
  }

  /**
   * Builds it all; `connect` makes the lines' interfaces, and those of the wire to the far host where there is one. Returns when packets can flow. Sweeps what it had built where it
   * throws (CommandError of `ip` or `nft`, SystemError of a kernel setting, or what `connect` throws).
   */
  static async build<D extends LineDriver>(
    names: LabNames,
    lines: readonly LineSpec[],
    connect: (ends: LineEnds[]) => Promise<D>,
    { far, ipv6Router = false }: InternetWishes = {},
  ): Promise<Internet<D>> {
    const congestion = await congestionControl();
    const wiring = wiringOf(names, lines, congestion.onRoute, far !== undefined);
    let driver: D | undefined;
    try {
      await ipBatch(
        undefined,
        wiring.netns.map((name) => `netns add ${name}`),
      );
      // An interface takes its settings over when it is made.
      applyBasics(names, wiring);
      if (ipv6Router) applySettings(names.box, ipv6RouterSettings);
      await ipBatch(undefined, wiring.wires);
      driver = await connect([
        ...lines.map((spec, i) => ({
          spec,
          box: wiring.boxEnds[i] ?? { netns: names.box, ifname: spec.name },
          operator: { netns: names.operator(spec.name), ifname: accessInterface },
        })),
        ...(far === undefined ? [] : [farEnds(names, far)]),
      ]);
      await configure(names, lines, wiring);
      return new Internet(names, lines, driver, congestion);
    } catch (error) {
      await driver?.stop();
      await sweep(names);
      throw error;
    }
  }

  /** Takes everything away again, processes left inside included. */
  async destroy(): Promise<void> {
    await this.driver.stop();
    await sweep(this.names);
  }
}

function farEnds(names: LabNames, spec: LineSpec): LineEnds {
  return {
    spec,
    box: { netns: names.core, ifname: farInterfaces.core },
    operator: { netns: names.inet, ifname: farInterfaces.inet },
  };
}

function applyBasics(names: LabNames, wiring: Wiring): void {
  for (const netns of wiring.netns) applySettings(netns, everywhere);
  const hosts = [names.lan, names.box, names.relay, names.inet];
  for (const netns of wiring.routers) applySettings(netns, routerSettings);
  for (const netns of hosts) applySettings(netns, hostSettings);
  applySettings(names.box, boxSettings);
}

async function configure(names: LabNames, lines: readonly LineSpec[], wiring: Wiring): Promise<void> {
  await Promise.all([
    ...wiring.hosts.map(({ netns, batch }) => ipBatch(netns, batch)),
    ...wiring.nft.map(({ netns, text }) => run(['nft', '-f', '-'], { ...patience, netns, input: text })),
  ]);
  for (const { name, nat, proxy } of lines) {
    // The kernel has these only where connections are tracked.
    if (nat) applySettings(names.operator(name), natSettings(nat.timeoutMs));
    if (proxy) applySettings(names.operator(name), proxySettings);
  }
}

/** Feeds lines to `ip -batch`. Throws CommandError. */
export async function ipBatch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  const argv = ['ip', ...(netns === undefined ? [] : ['-n', netns]), '-batch', '-'];
  await run(argv, { ...patience, input: `${lines.join('\n')}\n` });
}

/** Sets kernel settings of a namespace. Throws SystemError `SYSCTL` where the kernel refuses one. */
function applySettings(netns: string, settings: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(settings)) writeSysctl(key, value, netns);
}
