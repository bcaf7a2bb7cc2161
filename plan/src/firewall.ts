import { portName } from '@tresse/schema';

import { type Advice, warning } from './advice.ts';
import { isNumber, isText, list } from './json.ts';
import { interceptMark, markMask, nftTable, relayTunnelPrefix } from './numbers.ts';

/** A chain of somebody else's that drops what none of its rules lets through. */
export interface DroppingChain {
  /** As nft names it: `ip filter INPUT`. */
  readonly name: string;
  readonly hook: 'input' | 'forward';
  /** What the rules of its table look at: rules it jumps to stand there too. */
  readonly seen: readonly Seen[];
}

/** What one expression of a rule compares, and with what; a range is its two ends. */
interface Seen {
  readonly key: 'dport' | 'iifname' | 'mark';
  readonly values: readonly (string | number | readonly [number, number])[];
}

/**
 * Reads the objects of `nft -j list ruleset`: other people's chains at the hooks of our packets whose policy or last rule
 * is to drop. Rules
 * made by iptables' extensions are opaque there and count as none.
 */
export function readDroppingChains(json: unknown): DroppingChain[] {
  const objects = list(json);
  const rules = list(objects.map((one) => one['rule']));
  return list(objects.map((one) => one['chain'])).flatMap(({ family, table, name, hook, policy }) => {
    if ((hook !== 'input' && hook !== 'forward') || table === nftTable) return [];
    const own = rules.filter((rule) => rule['family'] === family && rule['table'] === table);
    if (policy !== 'drop' && !refusesTheRest(own.filter((rule) => rule['chain'] === name))) return [];
    const seen = own.flatMap((rule) => list(rule['expr']).flatMap((expression) => readMatch(expression['match'])));
    return [{ name: `${String(family)} ${String(table)} ${String(name)}`, hook, seen }];
  });
}

/** Whether a chain's last rule turns away everything that came so far, as firewalld's does. */
function refusesTheRest(rules: readonly Readonly<Record<string, unknown>>[]): boolean {
  const words = list(rules.at(-1)?.['expr']).flatMap((expression) => Object.keys(expression));
  return words.some((word) => word === 'drop' || word === 'reject') && words.every((word) => plainWords.has(word));
}

/** What a rule may hold that fits every packet. */
const plainWords = new Set(['counter', 'log', 'drop', 'reject']);

function readMatch(json: unknown): Seen[] {
  const [match] = list([json]);
  if (!match || match['op'] !== '==') return [];
  const key = keyOf(match['left']);
  return key ? [{ key, values: valuesOf(match['right']) }] : [];
}

function keyOf(left: unknown): Seen['key'] | undefined {
  const [one] = list([left]);
  const [masked] = list(one?.['&']);
  const [payload] = list([one?.['payload']]);
  const [meta] = list([one?.['meta'] ?? masked?.['meta']]);
  const key = payload?.['field'] ?? meta?.['key'];
  return key === 'dport' || key === 'iifname' || key === 'mark' ? key : undefined;
}

function valuesOf(right: unknown): Seen['values'] {
  if (isText(right) || isNumber(right)) return [right];
  const [one] = list([right]);
  const set: unknown = one?.['set'];
  if (Array.isArray(set)) return set.flatMap((entry: unknown) => valuesOf(entry));
  const range: unknown = one?.['range'];
  if (!Array.isArray(range)) return [];
  const [from, to]: unknown[] = range;
  return isNumber(from) && isNumber(to) ? [[from, to]] : [];
}

function looksAt(chain: DroppingChain, key: Seen['key'], value: string | number): boolean {
  return chain.seen.some(
    (one) =>
      one.key === key &&
      one.values.some((held) =>
        isText(held) || isNumber(held) ? held === value : isNumber(value) && held[0] <= value && value <= held[1],
      ),
  );
}

/**
 * What a box's own firewall may keep from it. Only the chains' policies and what their rules look at are known, so this says
 * what has to be let through, unless a rule looks as if it did.
 */
export function adviseBoxFirewall(chains: readonly DroppingChain[], lan: readonly string[]): Advice[] {
  const mark = `0x${interceptMark.toString(16)}/0x${markMask.toString(16)}`;
  return chains
    .filter((chain) => !looksAt(chain, 'mark', interceptMark) && !lan.every((name) => looksAt(chain, 'iifname', name)))
    .map((chain) =>
      warning(
        chain.hook === 'input'
          ? `a firewall of this machine (${chain.name}) drops what it does not know: it must accept what carries the mark ` +
              `${mark}, or the LAN's TCP does not reach the bond`
          : `a firewall of this machine (${chain.name}) drops what it does not know: it must accept what comes from ` +
              `${lan.join(', ')} and its answers, or only TCP leaves`,
      ),
    );
}

/** What a relay's own firewall may keep from it, as {@link adviseBoxFirewall}; `tunnel`: it passes packets on, UDP of `published` ports among them. */
export function adviseRelayFirewall(
  chains: readonly DroppingChain[],
  port: number,
  tunnel: boolean,
  published: readonly { readonly protocol: 'tcp' | 'udp'; readonly port: number }[] = [],
): Advice[] {
  const input = chains.filter((chain) => chain.hook === 'input' && !looksAt(chain, 'dport', port));
  const forward = chains.filter((chain) => tunnel && chain.hook === 'forward' && !looksAtTunnels(chain));
  const drops = ({ name }: DroppingChain): string => `a firewall of this machine (${name}) drops what it does not know`;
  return [
    ...input.map((chain) => {
      const also = tunnel ? ' and UDP' : '';
      return warning(`${drops(chain)}: it must accept TCP${also} port ${port}, or no box gets in`);
    }),
    ...forward.map((chain) =>
      warning(
        `${drops(chain)}: it must accept what comes from ${relayTunnelPrefix}* and its answers, or only TCP gets through`,
      ),
    ),
    ...published.flatMap((one) => {
      // UDP is passed on, and TCP ends here.
      const hook = one.protocol === 'tcp' ? 'input' : 'forward';
      const deaf = chains.filter((chain) => chain.hook === hook && !looksAt(chain, 'dport', one.port));
      return deaf.map((chain) =>
        warning(
          `${drops(chain)}: it must accept ${portName(one.protocol, one.port)}, or nobody gets to what is published`,
        ),
      );
    }),
  ];
}

function looksAtTunnels({ seen }: DroppingChain): boolean {
  return seen.some(
    ({ key, values }) => key === 'iifname' && values.some((one) => isText(one) && one.startsWith(relayTunnelPrefix)),
  );
}
