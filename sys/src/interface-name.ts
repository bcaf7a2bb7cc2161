import { UserError } from '@tresse/kit';

/** IFNAMSIZ: the name and its terminating zero. */
const sizeMax = 16;

/** Writes an interface's name with its terminating zeros into the first 16 bytes. Throws UserError `INTERFACE_NAME`. */
export function interfaceNameInto(bytes: Uint8Array, name: string): void {
  const encoded = new TextEncoder().encode(name);
  if (encoded.length === 0 || encoded.length >= sizeMax || /[\s/:]/u.test(name) || name === '.' || name === '..') {
    throw new UserError('INTERFACE_NAME', `"${name}" cannot be the name of a network interface (1 to 15 characters).`);
  }
  bytes.fill(0, 0, sizeMax);
  bytes.set(encoded);
}
