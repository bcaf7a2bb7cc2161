import type { Family } from '@tresse/schema';

import { routeProtocol } from './numbers.ts';

/** A policy routing rule of ours. */
export interface Rule {
  readonly family: Family;
  readonly priority: number;
  readonly from?: string;
  readonly iif?: string;
  readonly mark?: { readonly value: number; readonly mask: number };
  /** A number as text, or `main`. */
  readonly table: string;
  readonly suppressPrefixLength?: number;
}

/** A route of ours. */
export interface Route {
  readonly family: Family;
  readonly type: 'unicast' | 'local' | 'unreachable';
  readonly destination: string;
  readonly table: string;
  readonly gateway?: string;
  readonly device?: string;
  readonly source?: string;
  /** Reached without a gateway (scope link). */
  readonly link?: boolean;
  /** The gateway is on the link though no address of ours says so. */
  readonly onlink?: boolean;
  readonly metric?: number;
}

/** A whole nftables table, with the fingerprint that a comment in it carries. */
export interface Ruleset {
  readonly text: string;
  readonly fingerprint: string;
  readonly ruleCount: number;
}

/** Everything of the kernel's network configuration that is ours. */
export interface NetworkState {
  readonly sysctls: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly ruleset?: Ruleset;
}

/** The state in which nothing is ours. */
export const nothing: NetworkState = { sysctls: {}, routes: [], rules: [] };

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A rule as arguments behind `ip rule add` or `ip rule del`; equal rules of one family give equal arguments. */
export function ruleArguments(rule: Rule): string[] {
  return [
    'pref',
    String(rule.priority),
    ...(rule.from === undefined ? [] : ['from', rule.from]),
    ...(rule.iif === undefined ? [] : ['iif', rule.iif]),
    ...(rule.mark === undefined ? [] : ['fwmark', `${hex(rule.mark.value)}/${hex(rule.mark.mask)}`]),
    'lookup',
    rule.table,
    ...(rule.suppressPrefixLength === undefined ? [] : ['suppress_prefixlength', String(rule.suppressPrefixLength)]),
    'protocol',
    String(routeProtocol),
  ];
}

/** What tells two routes of one table apart for the kernel: a route with the same key replaces. */
export function routeKey(route: Route): string {
  return `${route.family} ${route.table} ${route.destination} ${route.metric ?? 0}`;
}

/** A route as arguments behind `ip route replace` or `ip route del`; equal routes of one family give equal arguments. */
export function routeArguments(route: Route): string[] {
  return [
    ...(route.type === 'unicast' ? [] : [route.type]),
    route.destination,
    ...(route.gateway === undefined ? [] : ['via', route.gateway]),
    ...(route.device === undefined ? [] : ['dev', route.device]),
    'table',
    route.table,
    'proto',
    String(routeProtocol),
    ...(route.link ? ['scope', 'link'] : []),
    ...(route.source === undefined ? [] : ['src', route.source]),
    ...(route.metric === undefined ? [] : ['metric', String(route.metric)]),
    ...(route.onlink ? ['onlink'] : []),
  ];
}
