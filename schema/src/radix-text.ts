/** Crockford's base 32: no letter is taken for a digit, case does not matter, and a QR code stores it densely. */
export const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** RFC 4648's base 64 for URLs, as pins are written. */
export const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const bitsOf = (alphabet: string): number => Math.log2(alphabet.length);

/** Octets as text, most significant bit first, without padding; `alphabet` has 32 or 64 characters. */
export function toText(octets: Uint8Array, alphabet: string): string {
  const width = bitsOf(alphabet);
  let text = '';
  let held = 0;
  let bits = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    bits += 8;
    while (bits >= width) {
      bits -= width;
      text += alphabet[held >>> bits] ?? '';
      held &= (1 << bits) - 1;
    }
  }
  return bits === 0 ? text : text + (alphabet[held << (width - bits)] ?? '');
}

/** The octets of {@link toText}; undefined where the text has other characters, or bits that no octet filled. */
export function fromText(text: string, alphabet: string): Uint8Array | undefined {
  const width = bitsOf(alphabet);
  const octets = new Uint8Array(Math.floor((text.length * width) / 8));
  let length = 0;
  let held = 0;
  let bits = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    held = (held << width) | value;
    bits += width;
    if (bits < 8) continue;
    bits -= 8;
    octets[length++] = held >>> bits;
    held &= (1 << bits) - 1;
  }
  return held === 0 && bits < width ? octets : undefined;
}
