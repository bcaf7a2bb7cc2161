import type { Log } from '@tresse/daemon';
import type { DirectSources } from '@tresse/engine';
import {
  beforeAnySession,
  type Choice,
  type DirectUplinks,
  type PacketTreatments,
  type ResolvedUplink,
  sendingAddress,
  treat,
  type Treatment,
  type Treatments,
} from '@tresse/plan';
import type { BoxConfig, Family } from '@tresse/schema';

const families: readonly Family[] = [4, 6];

/** Decides what becomes of new TCP connections, from what is known of the relay, and says so with the evidence. */
export class NewConnections {
  readonly #withoutRelay: BoxConfig['withoutRelay'];
  readonly #log: Log;
  #reached = beforeAnySession.reached;
  #egress = beforeAnySession.egress;
  #evidence = 'the box starts';
  #choice: Choice | undefined;

  constructor(withoutRelay: BoxConfig['withoutRelay'], log: Log) {
    this.#withoutRelay = withoutRelay;
    this.#log = log;
  }

  /** The relay counts as there. */
  get reached(): boolean {
    return this.#reached;
  }

  /** The relay came or went. */
  noteReach(reached: boolean, evidence: string): void {
    this.#reached = reached;
    this.#evidence = evidence;
  }

  /** What the relay said of the families it can reach. Returns whether that is news. */
  noteEgress(egress: Readonly<Record<Family, boolean>>): boolean {
    if (egress[4] === this.#egress[4] && egress[6] === this.#egress[6]) return false;
    this.#egress = egress;
    this.#evidence = `the relay can reach the internet by ${namesOf(egress)}`;
    return true;
  }

  /** The choice for uplinks as they are now; a change of it is logged. */
  choose(
    uplinks: readonly ResolvedUplink[],
    direct: DirectUplinks,
    forwardsIpv6: boolean,
    packets: PacketTreatments,
  ): Choice {
    const able = {
      4: direct[4] !== undefined,
      6: direct[6] !== undefined && forwardsIpv6,
    };
    const treatments = treat(this.#withoutRelay, { reached: this.#reached, egress: this.#egress, able });
    const before = this.#choice;
    this.#choice = { direct, treatments, packets };
    for (const family of families) {
      const is = this.#wordsOf(family, treatments, uplinks);
      const was = before && this.#wordsOf(family, before.treatments, uplinks, before.direct);
      if (before?.treatments[family] === treatments[family] && (treatments[family] !== 'direct' || is === was))
        continue;
      const level = treatments[family] === 'bond' || family === 6 ? 'info' : 'warn';
      this.#log.at(level, 'new connections', { family: `IPv${family}`, now: is, reason: this.#evidence });
    }
    return this.#choice;
  }

  /** What becomes of new connections, for the status, and by what `cause`; undefined while they are bonded. */
  summary(cause: string): string | undefined {
    if (this.#reached || !this.#choice) return undefined;
    const { direct, treatments } = this.#choice;
    if (treatments[4] === 'direct') return `${cause}: new connections leave directly by ${direct[4]}`;
    if (treatments[6] === 'direct') return `${cause}: new connections leave directly by ${direct[6]}`;
    const wish = this.#withoutRelay === 'refuse' ? 'are refused until it is back' : 'are refused, no line can send';
    return `${cause}: new connections ${wish}`;
  }

  /** Where the engine sends on what it has accepted and holds when the relay goes. */
  sources(uplinks: readonly ResolvedUplink[]): DirectSources {
    if (this.#withoutRelay === 'refuse') return {};
    const sources: Partial<Record<Family, { interface: string; address: string }>> = {};
    for (const family of families) {
      const uplink = uplinks.find((one) => one.name === this.#choice?.direct[family]);
      const own = uplink && sendingAddress(uplink, family);
      if (uplink && own) sources[family] = { interface: uplink.interface, address: own.address };
    }
    return sources;
  }

  #wordsOf(
    family: Family,
    treatments: Treatments,
    uplinks: readonly ResolvedUplink[],
    direct: DirectUplinks = this.#choice?.direct ?? {},
  ): string {
    const words: Readonly<Record<Treatment, string>> = {
      bond: 'bonded',
      direct: `directly by ${uplinks.find((one) => one.name === direct[family])?.name ?? 'none'}`,
      refuse: 'refused',
    };
    return words[treatments[family]];
  }
}

function namesOf(egress: Readonly<Record<Family, boolean>>): string {
  const names = families.filter((family) => egress[family]).map((family) => `IPv${family}`);
  return names.length === 0 ? 'no family' : names.join(' and ');
}
