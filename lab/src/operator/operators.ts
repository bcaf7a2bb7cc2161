import { monotonicMs, run } from '@tresse/sys';

import { type LabNames, reboundAddress } from '../network/addresses.ts';
import { proxyBack, proxyGone, reboundRules } from '../network/operator-rules.ts';
import { inTurn } from '../process/in-turn.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import { ProxyProcess } from './proxy-process.ts';

const patience = { timeoutMs: 10_000 };

/** What the operators do to their subscribers: proxies and forgetful address translation. Every act resolves with the CLOCK_MONOTONIC ms by which it was done. */
export class Operators {
  readonly #names: LabNames;
  readonly #proxies = new Map<string, ProxyProcess>();
  readonly #gone = new Set<string>();
  readonly #lines: readonly string[];
  /** How often each line's public address has changed. */
  readonly #changes = new Map<string, number>();

  private constructor(names: LabNames, lines: readonly LineSpec[]) {
    this.#names = names;
    this.#lines = lines.map(({ name }) => name);
  }

  /** Starts the proxies of the lines that have one. Throws SystemError `PROXY`. */
  static async start(names: LabNames, lines: readonly LineSpec[]): Promise<Operators> {
    const operators = new Operators(names, lines);
    try {
      await inTurn(lines, async ({ name, proxy }) => {
        if (proxy) operators.#proxies.set(name, await ProxyProcess.start(names.operator(name)));
      });
      return operators;
    } catch (error) {
      await operators.stop();
      throw error;
    }
  }

  /** Its proxy acknowledges everything and passes on nothing. */
  async proxyDies(line: string): Promise<number> {
    await this.#proxies.get(line)?.die();
    return monotonicMs();
  }

  /** Its proxy is not there: whoever speaks to it hears nothing. Throws CommandError. */
  async proxyVanishes(line: string): Promise<number> {
    if (!this.#gone.has(line)) {
      await this.#nft(line, proxyGone);
      this.#gone.add(line);
    }
    const atMs = monotonicMs();
    // Its last words are heard by nobody.
    await this.#proxies.get(line)?.kill();
    this.#proxies.delete(line);
    return atMs;
  }

  /** A new proxy takes the place of the old one, of whose connections it knows nothing. Throws CommandError, SystemError `PROXY`. */
  async proxyReturns(line: string): Promise<number> {
    await this.proxyVanishes(line);
    this.#proxies.set(line, await ProxyProcess.start(this.#names.operator(line)));
    await this.#nft(line, proxyBack);
    this.#gone.delete(line);
    return monotonicMs();
  }

  /** Its address translation forgets every connection. Throws CommandError. */
  async natForgets(line: string): Promise<number> {
    await run(['conntrack', '-F'], { ...patience, netns: this.#names.operator(line) });
    return monotonicMs();
  }

  /**
   * The line is seen under another public address and other ports from now on, and nobody is told: datagrams come from there, answers to
   * where it was are lost. A TCP connection goes on from there too, and is unknown to its server; where translation is strict it is dropped. Throws CommandError.
   */
  async natRebinds(line: string): Promise<number> {
    const change = (this.#changes.get(line) ?? 0) + 1;
    this.#changes.set(line, change);
    const netns = this.#names.operator(line);
    const to = reboundAddress(this.#lines.indexOf(line), change);
    // The old addresses stay: the core hears that they are there, and what goes there is dropped.
    await run(['ip', '-n', netns, 'address', 'replace', `${to.address}/24`, 'dev', 'core'], patience);
    await this.#nft(line, reboundRules(to));
    return await this.natForgets(line);
  }

  /** Ends the proxies. */
  async stop(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.kill()));
    this.#proxies.clear();
  }

  async #nft(line: string, input: string): Promise<void> {
    await run(['nft', '-f', '-'], { ...patience, netns: this.#names.operator(line), input });
  }
}
