import type { Family } from '@tresse/schema';

import type { KernelState } from './facts.ts';
import { nftTable } from './numbers.ts';
import { type NetworkState, type Route, routeArguments, routeKey, type Rule, ruleArguments } from './state.ts';

/** A sysctl we changed: what it was before, and what we wrote. */
interface ChangedSysctl {
  readonly before: string;
  readonly ours: string;
}

/** Sysctls we changed and have not restored; kept in the state directory, so that a killed daemon's are restored too. */
export type ChangedSysctls = Readonly<Record<string, ChangedSysctl>>;

/** One change of the kernel's state. */
export type Step =
  | { readonly kind: 'sysctl'; readonly key: string; readonly value: string; readonly before: string }
  | { readonly kind: 'restore'; readonly key: string; readonly value: string }
  | { readonly kind: 'forget'; readonly key: string }
  | { readonly kind: 'ip'; readonly family: Family; readonly arguments: readonly string[] }
  | { readonly kind: 'nft'; readonly text: string };

/**
 * The steps from what the kernel holds of ours to what is wanted, adds before deletes, so that no packet meets a gap. Empty
 * when nothing differs. `changed` are the sysctls changed earlier.
 */
export function diff(desired: NetworkState, kernel: KernelState, changed: ChangedSysctls): Step[] {
  const rules = compare(desired.rules, kernel.rules, ruleArguments);
  const routes = compare(desired.routes, kernel.routes, routeArguments);
  const kept = new Set(desired.routes.map(routeKey));
  const { ruleset } = desired;
  const same = kernel.table?.fingerprint === ruleset?.fingerprint && kernel.table?.ruleCount === ruleset?.ruleCount;
  return [
    ...writeSysctls(desired, kernel, changed),
    ...routes.missing.map((route) => ip(route, 'route', 'replace', routeArguments(route))),
    ...rules.missing.map((rule) => ip(rule, 'rule', 'add', ruleArguments(rule))),
    ...(ruleset && !same ? [{ kind: 'nft', text: ruleset.text } as const] : []),
    ...(!ruleset && kernel.table ? [{ kind: 'nft', text: `delete table inet ${nftTable}\n` } as const] : []),
    ...rules.surplus.map((rule) => ip(rule, 'rule', 'del', ruleArguments(rule))),
    ...routes.surplus
      .filter((route) => !kept.has(routeKey(route)))
      .map((route) => ip(route, 'route', 'del', routeArguments(route))),
    ...restoreSysctls(desired, kernel, changed),
  ];
}

function compare<T extends Rule | Route>(
  wanted: readonly T[],
  held: readonly T[],
  write: (one: T) => string[],
): { missing: T[]; surplus: T[] } {
  const text = (one: T): string => `${one.family} ${write(one).join(' ')}`;
  const wantedTexts = new Set(wanted.map(text));
  const heldTexts = new Set(held.map(text));
  return {
    missing: wanted.filter((one) => !heldTexts.has(text(one))),
    surplus: held.filter((one) => !wantedTexts.has(text(one))),
  };
}

function ip({ family }: Rule | Route, object: string, verb: string, rest: readonly string[]): Step {
  return { kind: 'ip', family, arguments: [object, verb, ...rest] };
}

function writeSysctls(desired: NetworkState, kernel: KernelState, changed: ChangedSysctls): Step[] {
  return Object.entries(desired.sysctls).flatMap(([key, value]): Step[] => {
    const now = kernel.sysctls[key];
    if (now === undefined || now === value) return [];
    return [{ kind: 'sysctl', key, value, before: changed[key]?.before ?? now }];
  });
}

/** A value that is no longer what we wrote was changed by somebody else and is theirs: it is only forgotten. */
function restoreSysctls(desired: NetworkState, kernel: KernelState, changed: ChangedSysctls): Step[] {
  return Object.entries(changed)
    .filter(([key]) => desired.sysctls[key] === undefined)
    .map(([key, { before, ours }]): Step => {
      return kernel.sysctls[key] === ours ? { kind: 'restore', key, value: before } : { kind: 'forget', key };
    });
}

/** The values sysctls had before us: what the kernel says, except where we changed it. */
export function sysctlsBefore(now: Readonly<Record<string, string>>, changed: ChangedSysctls): Record<string, string> {
  const before: Record<string, string> = { ...now };
  for (const [key, { before: value, ours }] of Object.entries(changed)) {
    if (now[key] === ours) before[key] = value;
  }
  return before;
}
