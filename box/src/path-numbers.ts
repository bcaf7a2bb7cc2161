import type { BoxPath } from '@tresse/engine';
import type { ResolvedUplink } from '@tresse/plan';
import type { BoxConfig } from '@tresse/schema';

/** Path numbers have one octet on the wire; 0 is none. */
const pathNumberMax = 255;

/**
 * Gives paths their numbers: one path for every uplink and relay address, known by the uplink's source address. A number is
 * never used again in a session, so a line that was gone and is there again has a new one; while it only has no carrier it
 * stays in the list and keeps it.
 */
export class PathNumbers {
  readonly #numbers = new Map<string, number>();
  #next = 1;

  /** The paths there are now, or undefined when the numbers are used up and a new session must begin. */
  assign(config: BoxConfig, uplinks: readonly ResolvedUplink[]): BoxPath[] | undefined {
    const { addresses, port } = config.relay;
    const present = new Set<string>();
    const paths: BoxPath[] = [];
    for (const uplink of uplinks) {
      if (uplink.address === undefined || !uplink.enabled) continue;
      for (const relayAddress of addresses) {
        const key = `${uplink.name} ${uplink.interface} ${uplink.address} ${relayAddress}`;
        present.add(key);
        const path = this.#numbers.get(key) ?? this.#next++;
        if (path > pathNumberMax) return undefined;
        this.#numbers.set(key, path);
        paths.push({
          path,
          uplink: uplink.name,
          interface: uplink.interface,
          localAddress: uplink.address,
          relayAddress,
          relayPort: port,
          enabled: true,
          metered: uplink.metered,
        });
      }
    }
    for (const key of this.#numbers.keys()) if (!present.has(key)) this.#numbers.delete(key);
    return paths;
  }

  /** A new session: numbers begin anew. */
  restart(): void {
    this.#numbers.clear();
    this.#next = 1;
  }
}
