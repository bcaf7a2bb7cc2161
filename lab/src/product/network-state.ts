import { run, runJson } from '@tresse/sys';

/** What a namespace's kernel is set to, as sorted sentences: two of them compared tell what somebody left behind. */
export type NetworkState = Readonly<Record<'rule' | 'route' | 'nftables' | 'setting', readonly string[]>>;

const patience = { timeoutMs: 10_000 };

/** Settings that the kernel itself changes as it goes. */
const restless =
  /^net\.(?:netfilter\.nf_conntrack_(?:count|buckets)|ipv4\.(?:tcp_fastopen_key|tcp_mem|udp_mem)|.*\.stable_secret)/u;

/** Reads rules, routes of all tables, nftables and settings. Throws CommandError. */
export async function networkState(netns: string): Promise<NetworkState> {
  const list = async (...argv: string[]): Promise<string[]> => {
    const found = await runJson(['ip', '-n', netns, ...argv], patience);
    return Array.isArray(found) ? found.map((entry) => JSON.stringify(entry)).toSorted() : [];
  };
  const [rule4, rule6, route4, route6, nftables, settings] = await Promise.all([
    list('-j', 'rule', 'show'),
    list('-6', '-j', 'rule', 'show'),
    list('-j', 'route', 'show', 'table', 'all'),
    list('-6', '-j', 'route', 'show', 'table', 'all'),
    run(['nft', '-s', 'list', 'ruleset'], { ...patience, netns }),
    run(['sysctl', '-a', '-r', '^net[.](ipv4|ipv6|core)[.]'], { ...patience, netns }),
  ]);
  return {
    rule: [...rule4, ...rule6],
    route: [...route4, ...route6],
    nftables: lines(nftables),
    setting: lines(settings).filter((line) => !restless.test(line)),
  };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Sentences that say what is there now and was not before, or the other way round; none where all is as it was. */
export function differences(before: NetworkState, after: NetworkState): string[] {
  const kinds = ['rule', 'route', 'nftables', 'setting'] as const;
  return kinds.flatMap((kind) => {
    const left = after[kind].filter((entry) => !before[kind].includes(entry));
    const gone = before[kind].filter((entry) => !after[kind].includes(entry));
    return left.map((e) => `left behind, ${kind}: ${e.trim()}`).concat(gone.map((e) => `gone, ${kind}: ${e.trim()}`));
  });
}
