/** IP addresses of both families as text; pure, since nothing of Node is seen here. */

/** An address family. */
export type Family = 4 | 6;

/** The family of an address or network that is one. */
export const ipFamily = (text: string): Family => (text.includes(':') ? 6 : 4);

/** An address as 4 or 16 octets; undefined when the text is none. An IPv6 zone (`%eth0`) is none. */
export function ipOctets(text: string): number[] | undefined {
  return text.includes(':') ? octets6(text) : octets4(text);
}

/** Octets as the one text of that address: IPv6 as RFC 5952 writes it. */
export function ipText(octets: readonly number[]): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (octets[2 * i] ?? 0) * 256 + (octets[2 * i + 1] ?? 0));
  const { start, length } = longestZeros(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}

/** The network of a valid address, as `10.0.1.0/24` or `2001:db8::/64`. */
export function ipNetwork(address: string, prefixLength: number): string {
  return `${ipText(masked(ipOctets(address) ?? [], prefixLength))}/${prefixLength}`;
}

/** Whether a valid address lies in a network written `10.0.1.0/24`; never in one of the other family. */
export function ipWithin(address: string, network: string): boolean {
  const [base = '', length] = network.split('/');
  const octets = ipOctets(address);
  const wanted = ipOctets(base);
  if (octets?.length !== wanted?.length || !octets || !wanted) return false;
  const head = masked(wanted, Number(length));
  return masked(octets, Number(length)).every((octet, i) => octet === head[i]);
}

function masked(octets: readonly number[], prefixLength: number): number[] {
  return octets.map((octet, i) => octet & (0xff00 >> Math.max(0, Math.min(8, prefixLength - 8 * i))) & 0xff);
}

function octets4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/u.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return parts.map(Number);
}

function octets6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half, i) => groupsOf(half, i === halves.length - 1));
  if (halves.some((half, i) => groupsOf(half, i === halves.length - 1) === undefined)) return undefined;
  const after = right ?? [];
  const missing = 8 - left.length - after.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...after];
  return groups.flatMap((group) => [group >>> 8, group & 0xff]);
}

/** The 16-bit groups of a part of an IPv6 address; its end may be written as IPv4. */
function groupsOf(part: string, last: boolean): number[] | undefined {
  if (part === '') return [];
  const groups: number[] = [];
  const texts = part.split(':');
  for (const [i, text] of texts.entries()) {
    const four = last && i === texts.length - 1 && text.includes('.') ? octets4(text) : undefined;
    if (four) groups.push((four[0] ?? 0) * 256 + (four[1] ?? 0), (four[2] ?? 0) * 256 + (four[3] ?? 0));
    else if (/^[0-9a-f]{1,4}$/iu.test(text)) groups.push(Number.parseInt(text, 16));
    else return undefined;
  }
  return groups;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
