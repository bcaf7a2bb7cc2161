import type { Family } from '@tresse/schema';

import type { PacketTreatments, Treatments } from './treatment.ts';
import type { ResolvedUplink } from './uplink.ts';

/** Names of the uplinks that what goes directly leaves by, for each family; missing where none can send. */
export type DirectUplinks = Readonly<Partial<Record<Family, string>>>;

/** What a running box decides anew with every look. */
export interface Choice {
  readonly direct: DirectUplinks;
  readonly treatments: Treatments;
  readonly packets: PacketTreatments;
}

/** A choice as a few words that stand in our nftables table; uplinks by their place in the configuration. */
export function choiceText({ direct, treatments, packets }: Choice, uplinks: readonly ResolvedUplink[]): string {
  const place = (family: Family): string => String(uplinks.find((one) => one.name === direct[family])?.index ?? 'none');
  return `${place(4)} ${place(6)} ${treatments[4]} ${treatments[6]} ${packets[4]} ${packets[6]}`;
}

const chosen =
  /^tresse \S+ (none|\d+) (none|\d+) (bond|direct|refuse) (bond|direct|refuse) (tunnel|direct|refuse|hold) (tunnel|direct|refuse|hold)$/u;

/** The choice that a table's fingerprint tells; undefined when it tells none. */
export function readChoice(fingerprint: string | undefined, uplinks: readonly ResolvedUplink[]): Choice | undefined {
  const found = chosen.exec(fingerprint ?? '');
  if (!found) return undefined;
  const [, ...words] = found;
  const direct: Partial<Record<Family, string>> = {};
  for (const [i, family] of ([4, 6] as const).entries()) {
    const uplink = uplinks.find((one) => String(one.index) === words[i]);
    if (uplink) direct[family] = uplink.name;
  }
  const treatments = { 4: words[2], 6: words[3] } as Treatments;
  const packets = { 4: words[4], 6: words[5] } as PacketTreatments;
  return { direct, treatments, packets };
}
