import type { Family } from '@tresse/schema';

import { nftTable } from './numbers.ts';
import type { Ruleset } from './state.ts';

/** A chain of our nftables table; without a hook others lead there. */
export interface Chain {
  readonly name: string;
  readonly hook?: string;
  readonly rules: readonly string[];
}

const addressTypes = { 4: 'ipv4_addr', 6: 'ipv6_addr' } as const;

/** A set of networks of one family, named after both. */
export function addressSet(name: string, family: Family, networks: readonly string[]): string {
  const elements = networks.length === 0 ? '' : ` elements = { ${networks.join(', ')} }`;
  return `  set ${name}${family} { type ${addressTypes[family]}; flags interval; auto-merge;${elements} }`;
}

/**
 * Our whole table, to be replaced in one transaction. The fingerprint, with `told` behind it, is a comment on the first rule: nft 1.0 does not list a table's
 * own comment as JSON.
 */
export function tableOf(sets: readonly string[], chains: readonly Chain[], told = ''): Ruleset {
  const body = [...sets, ...chains.flatMap((chain) => chainText(chain))];
  const fingerprint = `${nftTable} ${hash(body.join('\n'))}${told}`;
  const first = chains[0]?.rules[0] ?? '';
  const at = body.indexOf(`    ${first}`);
  const text = [
    `table inet ${nftTable}`,
    `delete table inet ${nftTable}`,
    `table inet ${nftTable} {`,
    ...body.with(at, `    ${first} comment "${fingerprint}"`),
    '}',
    '',
  ].join('\n');
  return { text, fingerprint, ruleCount: chains.reduce((sum, chain) => sum + chain.rules.length, 0) };
}

function chainText({ name, hook, rules }: Chain): string[] {
  return [
    `  chain ${name} {`,
    ...(hook === undefined ? [] : [`    ${hook}`]),
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
}

/** FNV-1a over UTF-16 units, twice with different offsets: tells two texts of ours apart, protects against nothing. */
function hash(text: string): string {
  const half = (offset: number): string => {
    let value = offset;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193);
    return (value >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c_9dc5) + half(0x5bd1_e995);
}
