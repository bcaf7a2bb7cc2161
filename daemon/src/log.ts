/** Levels of the log, the most talkative first. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** What a log line carries beside its sentence. */
type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes lines of `key=value` pairs (logfmt): readable as they are, and by any collector. */
export interface Log {
  debug(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  error(sentence: string, fields?: LogFields): void;
  at(level: LogLevel, sentence: string, fields?: LogFields): void;
}

/** The same sentence so often within so long, ms; what is beyond is counted and told with the next. Debug is not held back. */
const repeatsMax = 50;
const repeatWindowMs = 10_000;

/** How often a sentence was said lately: strangers must not fill the disk by what is said of them. */
class Patience {
  readonly #said = new Map<string, { sinceMs: number; count: number }>();

  /** Whether a sentence may be said now; if so, how often it was not since the last time. */
  allows(sentence: string, nowMs: number): { withheld: number } | undefined {
    const known = this.#said.get(sentence);
    if (known && nowMs - known.sinceMs < repeatWindowMs)
      return ++known.count > repeatsMax ? undefined : { withheld: 0 };
    this.#said.set(sentence, { sinceMs: nowMs, count: 1 });
    return { withheld: Math.max(0, (known?.count ?? 0) - repeatsMax) };
  }
}

/** A log of lines at `level` and above, each given to `write` with its line end; standard error when not told. */
export function makeLog(level: LogLevel, write: (line: string) => void = toStandardError): Log {
  const least = logLevels.indexOf(level);
  const patience = new Patience();
  const at = (given: LogLevel, sentence: string, fields: LogFields = {}): void => {
    if (logLevels.indexOf(given) < least) return;
    const allowed = given === 'debug' ? { withheld: 0 } : patience.allows(sentence, performance.now());
    if (!allowed) return;
    const time = new Date().toISOString();
    const withheld = allowed.withheld > 0 ? { withheld: allowed.withheld } : {};
    const pairs = Object.entries({ time, level: given, msg: sentence, ...fields, ...withheld });
    write(`${pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quote(value)}`])).join(' ')}\n`);
  };
  return {
    at,
    debug: (sentence, fields) => at('debug', sentence, fields),
    info: (sentence, fields) => at('info', sentence, fields),
    warn: (sentence, fields) => at('warn', sentence, fields),
    error: (sentence, fields) => at('error', sentence, fields),
  };
}

/** A line is one line whatever a peer put into a value. */
function quote(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w.:/+@,-]+$/u.test(text) ? text : JSON.stringify(text);
}

function toStandardError(line: string): void {
  process.stderr.write(line);
}
