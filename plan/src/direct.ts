import { lanDirectPriority, uplinkTable } from './numbers.ts';
import type { Rule } from './state.ts';
import type { ResolvedUplink } from './uplink.ts';

/** The uplink by which, as the kernel's rules of ours have it, what does not go through the relay leaves now. */
export function directOf(rules: readonly Rule[], uplinks: readonly ResolvedUplink[]): string | undefined {
  const rule = rules.find((one) => one.priority === lanDirectPriority);
  return uplinks.find((uplink) => String(uplinkTable(uplink.index)) === rule?.table)?.name;
}
