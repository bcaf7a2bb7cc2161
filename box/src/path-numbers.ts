import type { BoxPath } from '@tresse/engine';
import type { ResolvedUplink } from '@tresse/plan';
import { type BoxConfig, ipFamily } from '@tresse/schema';

/** Path numbers have one octet on the wire; 0 is none. */
const pathNumberMax = 255;
/** From here on a quiet moment is used for a new session, in which they begin anew. */
const scarceFrom = 192;

/**
 * Gives paths their numbers: one path for every uplink and relay address of a family the uplink has, known by the uplink's
 * source address and gateway. A number is never used again in a session, so a line that was gone and is there again has a
 * new one; while it only has no carrier, or its gateway is not known for a moment, it stays in the list and keeps it.
 */
export class PathNumbers {
  readonly #numbers = new Map<string, { path: number; gateway: string | undefined }>();
  #next = 1;

  /** The paths there are now, or undefined when the numbers are used up and a new session must begin. */
  assign(config: BoxConfig, uplinks: readonly ResolvedUplink[]): BoxPath[] | undefined {
    const { addresses, port } = config.relay;
    const present = new Set<string>();
    const paths: BoxPath[] = [];
    for (const uplink of uplinks) {
      if (!uplink.enabled) continue;
      for (const relayAddress of addresses) {
        const own = uplink.addresses.find((one) => one.family === ipFamily(relayAddress));
        if (!own) continue;
        const key = `${uplink.name} ${uplink.interface} ${own.address} ${relayAddress}`;
        present.add(key);
        const path = this.#number(key, own.gateway);
        if (path > pathNumberMax) return undefined;
        paths.push({
          path,
          uplink: uplink.name,
          interface: uplink.interface,
          localAddress: own.address,
          relayAddress,
          relayPort: port,
          enabled: true,
          metered: uplink.metered,
          ...(uplink.rateLimit && { rateLimit: uplink.rateLimit }),
        });
      }
    }
    for (const key of this.#numbers.keys()) if (!present.has(key)) this.#numbers.delete(key);
    return paths;
  }

  #number(key: string, gateway: string | undefined): number {
    const known = this.#numbers.get(key);
    if (known && (gateway === undefined || known.gateway === undefined || known.gateway === gateway)) {
      known.gateway = gateway ?? known.gateway;
      return known.path;
    }
    const path = this.#next++;
    this.#numbers.set(key, { path, gateway });
    return path;
  }

  /** Most numbers are used: a new session should begin before none is left. */
  get scarce(): boolean {
    return this.#next > scarceFrom;
  }

  /** A new session: numbers begin anew. */
  restart(): void {
    this.#numbers.clear();
    this.#next = 1;
  }
}
