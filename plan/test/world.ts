import { type BoxConfig, boxConfig, ipFamily } from '@tresse/schema';

import {
  type Behind,
  bestUplink,
  desiredState,
  type Facts,
  type KernelState,
  type NetworkState,
  type PacketTreatments,
  type PublishedUdp,
  resolveUplinks,
  sysctlsBefore,
  type Treatments,
  withoutTunnel,
} from '../src/index.ts';
import type { ChangedSysctls } from '../src/index.ts';

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

/** A configuration with these uplinks. */
export function config(uplinks: Record<string, unknown>[], addresses = ['203.0.113.1']): BoxConfig {
  const relay = { addresses, port: 7443, pin };
  return { ...boxConfig.parse({ uplinks, lan: { interfaces: ['lan0'] } }), relay };
}

/** A machine: interface -> [address/length, gateway of its default route], each may be several told apart by a space. */
export function machine(ports: Record<string, [string, string | undefined]>): Facts {
  return {
    interfaces: Object.entries(ports).map(([name, [text]]) => ({
      name,
      up: true,
      carrier: true,
      mtu: name.startsWith('ppp') ? 1492 : 1500,
      pointToPoint: name.startsWith('ppp'),
      addresses: words(text).map((one) => {
        const [address = '', prefixLength = '24'] = one.split('/');
        return { family: ipFamily(address), address, prefixLength: Number(prefixLength), lasting: true, rank: 0 };
      }),
    })),
    gateways: Object.entries(ports).flatMap(([name, [, gateways]], index) =>
      words(gateways).map((gateway) => ({ family: ipFamily(gateway), interface: name, gateway, metric: 100 + index })),
    ),
  };
}

const words = (text = ''): string[] => text.split(' ').filter((word) => word !== '');

/** New connections of both families are bonded. */
export const bonded: Treatments = { 4: 'bond', 6: 'bond' };

/** The desired state when nothing is known of the lines yet. */
export function desire(
  box: BoxConfig,
  facts: Facts,
  sysctls: Record<string, string>,
  changed: ChangedSysctls = {},
  treatments: Treatments = { 4: 'bond', 6: 'refuse' },
  packets: PacketTreatments = withoutTunnel,
  published: readonly PublishedUdp[] = [],
  behind: Behind = { networks: [], reachable: [] },
): NetworkState {
  const uplinks = resolveUplinks(box, facts);
  const candidates = uplinks.map((uplink) => ({ uplink, verdict: 'degraded', minRttMs: 0 }) as const);
  const direct = Object.fromEntries(
    ([4, 6] as const).flatMap((family) => {
      const best = bestUplink(candidates, undefined, family);
      return best === undefined ? [] : [[family, best]];
    }),
  );
  const before = sysctlsBefore(sysctls, changed);
  return desiredState({ config: box, uplinks, direct, treatments, packets, sysctls: before, published, behind });
}

/** A kernel which holds exactly a state. */
export function kernelWith(state: NetworkState, sysctls: Record<string, string>): KernelState {
  return {
    rules: state.rules,
    routes: state.routes,
    sysctls: { ...sysctls, ...state.sysctls },
    ...(state.ruleset && { table: state.ruleset }),
  };
}
