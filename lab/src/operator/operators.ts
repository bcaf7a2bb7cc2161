import { monotonicMs, run } from '@tresse/sys';

import type { LabNames } from '../network/addresses.ts';
import { proxyBack, proxyGone } from '../network/operator-rules.ts';
import { inTurn } from '../process/in-turn.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import { ProxyProcess } from './proxy-process.ts';

const patience = { timeoutMs: 10_000 };

/** What the operators do to their subscribers: proxies and forgetful address translation. Every act resolves with the CLOCK_MONOTONIC ms by which it was done. */
export class Operators {
  readonly #names: LabNames;
  readonly #proxies = new Map<string, ProxyProcess>();
  readonly #gone = new Set<string>();

  private constructor(names: LabNames) {
    this.#names = names;
  }

  /** Starts the proxies of the lines that have one. Throws SystemError `PROXY`. */
  static async start(names: LabNames, lines: readonly LineSpec[]): Promise<Operators> {
    const operators = new Operators(names);
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

  /** Ends the proxies. */
  async stop(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.kill()));
    this.#proxies.clear();
  }

  async #nft(line: string, input: string): Promise<void> {
    await run(['nft', '-f', '-'], { ...patience, netns: this.#names.operator(line), input });
  }
}
