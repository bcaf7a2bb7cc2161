/** Whose fault an error is: the person's, the other end's, the operating system's, or ours. */
export type Fault = 'user' | 'peer' | 'system' | 'bug';

/** Every error Tresse throws: whose fault it is, a stable code, and a sentence for the person who can act. */
export class TresseError extends Error {
  readonly fault: Fault;
  /** Stable, upper snake case; documented where it is thrown. */
  readonly code: string;

  constructor(fault: Fault, code: string, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'TresseError';
    this.fault = fault;
    this.code = code;
  }
}

/** Configuration or arguments are wrong. */
export class UserError extends TresseError {
  constructor(code: string, sentence: string, cause?: unknown) {
    super('user', code, sentence, cause);
    this.name = 'UserError';
  }
}

/** The other end sent what the protocol forbids. */
export class PeerError extends TresseError {
  constructor(code: string, sentence: string, cause?: unknown) {
    super('peer', code, sentence, cause);
    this.name = 'PeerError';
  }
}

/** The operating system refused. */
export class SystemError extends TresseError {
  constructor(code: string, sentence: string, cause?: unknown) {
    super('system', code, sentence, cause);
    this.name = 'SystemError';
  }
}

/** An invariant of our own is broken. */
export class BugError extends TresseError {
  constructor(code: string, sentence: string, cause?: unknown) {
    super('bug', code, sentence, cause);
    this.name = 'BugError';
  }
}

/** Throws a {@link BugError} unless the invariant holds. */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new BugError('ASSERTION', `broken invariant: ${invariant}`);
}

/** The sentence of anything thrown. */
export function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
