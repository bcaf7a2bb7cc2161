import type { ResolvedUplink } from '@tresse/plan';
import { type BoxConfig, boxConfig } from '@tresse/schema';

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

/** A configuration of lines `a`, `b`, ... on interfaces wan1, wan2, ... */
export function config(names: readonly string[], addresses = ['203.0.113.1']): BoxConfig {
  const lines = names.map((name, i) => ({ name, interface: `wan${i + 1}` }));
  return {
    ...boxConfig.parse({ uplinks: lines, lan: { interfaces: ['lan0'] } }),
    relay: { addresses, port: 7443, pin },
  };
}

/** Uplinks with these addresses; an undefined one has none. */
export function uplinks(given: Record<string, string | undefined>): ResolvedUplink[] {
  return Object.entries(given).map(([name, address], index) => {
    const line = { name, interface: `wan${index + 1}`, index, enabled: true, metered: false, up: true, carrier: true };
    const kind = 'other';
    const mtu = 1500;
    if (address === undefined) return Object.assign(line, { kind, mtu, addresses: [], fault: 'no address' } as const);
    const family = 4;
    const addresses = [{ family, address, network: '10.0.0.0/8', gateway: '10.0.0.1', routed: true }] as const;
    return Object.assign(line, { kind, mtu, addresses } as const);
  });
}
