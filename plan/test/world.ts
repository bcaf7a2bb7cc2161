import { type BoxConfig, boxConfig } from '@tresse/schema';

import {
  bestUplink,
  desiredState,
  type Facts,
  type KernelState,
  type NetworkState,
  resolveUplinks,
  sysctlsBefore,
} from '../src/index.ts';
import type { ChangedSysctls } from '../src/index.ts';

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

/** A configuration with these uplinks. */
export function config(uplinks: Record<string, unknown>[]): BoxConfig {
  return boxConfig.parse({ uplinks, lan: { interfaces: ['lan0'] }, relay: { addresses: ['203.0.113.1'], pin } });
}

/** A machine: interface -> [address/length, gateway of its default route]. */
export function machine(ports: Record<string, [string, string | undefined]>): Facts {
  return {
    interfaces: Object.entries(ports).map(([name, [text]]) => {
      const [address = '', prefixLength = '24'] = text.split('/');
      return {
        name,
        up: true,
        carrier: true,
        pointToPoint: name.startsWith('ppp'),
        addresses: address === '' ? [] : [{ address, prefixLength: Number(prefixLength) }],
      };
    }),
    gateways: Object.entries(ports).flatMap(([name, [, gateway]], index) =>
      gateway === undefined ? [] : [{ interface: name, gateway, metric: 100 + index }],
    ),
  };
}

/** The desired state when nothing is known of the relay yet. */
export function desire(
  box: BoxConfig,
  facts: Facts,
  sysctls: Record<string, string>,
  changed: ChangedSysctls = {},
): NetworkState {
  const uplinks = resolveUplinks(box, facts);
  const direct = bestUplink(
    uplinks.map((uplink) => ({ uplink, verdict: 'degraded', minRttMs: 0 })),
    undefined,
  );
  return desiredState(box, uplinks, direct, sysctlsBefore(sysctls, changed));
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
