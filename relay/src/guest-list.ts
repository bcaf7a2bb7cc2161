import { UserError } from '@tresse/kit';
import type { KnownBox, RefusalCode, RelayConfig } from '@tresse/schema';

import type { Register } from './register.ts';

/** Who may come in, or why not. */
type Welcome = { readonly name: string } | { readonly refused: RefusalCode };

/** The boxes that may come in: those of relay.yaml, and beside them those that were paired. */
export class GuestList {
  readonly #configured: RelayConfig['boxes'];
  readonly #register: Register;

  constructor(configured: RelayConfig['boxes'], register: Register) {
    this.#configured = configured;
    this.#register = register;
  }

  /** How many there are. */
  get size(): number {
    return this.#configured.length + this.#paired().length;
  }

  /** The box with this pin, or why it may not come in. */
  welcome(pin: string): Welcome {
    const name = this.#configuredOf(pin)?.name ?? this.#register.boxOf(pin)?.name;
    if (name !== undefined) return { name };
    return { refused: this.#register.isRevoked(pin) ? 'revoked' : 'unknown-box' };
  }

  /** How a box is called; its pin where it is not known any more. */
  nameOf(pin: string): string {
    const welcome = this.welcome(pin);
    return 'name' in welcome ? welcome.name : pin;
  }

  /** The pin of the box that is called so. */
  pinOf(name: string): string | undefined {
    return this.#find(name)?.pin;
  }

  /** Lets the box with this pin in by a token. Throws UserError `STATE_UNWRITABLE`. */
  pair(pin: string, token: string, nowMs: number): Welcome {
    const welcome = this.#register.redeem(token, pin, nowMs, (wished) => this.#freeName(wished));
    const configured = this.#configuredOf(pin);
    return configured && 'name' in welcome ? { name: configured.name } : welcome;
  }

  /** Throws UserError `NAME_TAKEN` where a box has this name already. */
  requireFree(name: string): void {
    if (this.#find(name)) {
      throw new UserError(
        'NAME_TAKEN',
        `A box is called "${name}" already: choose another name, or revoke that box first.`,
      );
    }
  }

  /** Throws UserError `BOX_UNKNOWN`, `BOX_CONFIGURED`, `NAME_TAKEN`, `STATE_UNWRITABLE`. */
  rename(from: string, to: string): void {
    const pin = this.#pairedPin(from, 'give it another name there');
    if (from === to) return;
    this.requireFree(to);
    this.#register.rename(pin, to);
  }

  /** Puts a box out. Returns its pin. Throws UserError `BOX_UNKNOWN`, `BOX_CONFIGURED`, `STATE_UNWRITABLE`. */
  revoke(name: string, nowMs: number): string {
    const pin = this.#pairedPin(name, 'take it out there');
    this.#register.revoke(pin, nowMs);
    return pin;
  }

  /** Every box, those of relay.yaml first. */
  all(): Pick<KnownBox, 'name' | 'pin' | 'origin' | 'lastSeenMs' | 'address'>[] {
    return [
      ...this.#configured.map(({ name, pin }) => ({ name, pin, origin: 'configured' as const })),
      ...this.#paired().map(({ name, pin, lastSeenMs, address }) =>
        Object.assign(
          { name, pin, origin: 'paired' as const },
          lastSeenMs !== undefined && { lastSeenMs },
          address !== undefined && { address },
        ),
      ),
    ];
  }

  /** A box that is both is that of relay.yaml. */
  #paired(): Register['boxes'] {
    return this.#register.boxes.filter((one) => !this.#configuredOf(one.pin));
  }

  #configuredOf(pin: string): RelayConfig['boxes'][number] | undefined {
    return this.#configured.find((one) => one.pin === pin);
  }

  #find(name: string): { readonly pin: string; readonly configured: boolean } | undefined {
    const configured = this.#configured.find((one) => one.name === name);
    if (configured) return { pin: configured.pin, configured: true };
    const paired = this.#register.boxes.find((one) => one.name === name);
    return paired && { pin: paired.pin, configured: false };
  }

  #pairedPin(name: string, instead: string): string {
    const found = this.#find(name);
    if (!found) throw new UserError('BOX_UNKNOWN', `No box is called "${name}": "tresse relay boxes" lists them.`);
    if (!found.configured) return found.pin;
    throw new UserError('BOX_CONFIGURED', `The box "${name}" stands in relay.yaml: ${instead}, and restart the relay.`);
  }

  /** The wished name or, where it is taken meanwhile, the first free one like it. */
  #freeName(wished: string | undefined): string {
    if (wished !== undefined && !this.#find(wished)) return wished;
    const stem = (wished ?? 'box').slice(0, 56);
    let number = wished === undefined ? 1 : 2;
    while (this.#find(`${stem}-${number}`)) number++;
    return `${stem}-${number}`;
  }
}
