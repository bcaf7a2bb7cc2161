import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { sentenceOf, UserError } from '@tresse/kit';

import { isMissing, type StateDirectory, type StateReader } from './state-directory.ts';

const name = 'lock';

/**
 * Takes the state directory's lock for this process. Returns what gives it back. A lock whose process is gone (killed, or the
 * machine restarted) is taken over. Throws UserError `STATE_LOCKED` while another daemon holds it.
 *
 * The file names its process by number and start time, since numbers are used again. It comes into being whole by link(2);
 * a dead one is moved away first, and put back if it turns out to be somebody's fresh one.
 */
export function lockStateDirectory(directory: StateDirectory): () => void {
  const path = directory.file(name);
  const mine = `${process.pid} ${startOf(process.pid) ?? ''}\n`;
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, mine, { mode: 0o600 });
    for (let attempt = 0; attempt < 5; attempt++) {
      if (linked(draft, path)) {
        sweep(directory);
        return () => release(path, mine);
      }
      const holder = textOf(path);
      if (holder === undefined) continue;
      if (alive(holder)) refuse(directory, holder);
      moveAway(path, holder);
    }
    return refuse(directory, textOf(path) ?? '');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('STATE_UNWRITABLE', `${path} cannot be written (${sentenceOf(error)}).`, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The process that holds a state directory's lock now; undefined when none does. Throws UserError `STATE_UNREADABLE`. */
export function lockHolder(directory: StateReader): number | undefined {
  const holder = directory.read(name);
  return holder !== undefined && alive(holder) ? Number(holder.split(' ')[0]) : undefined;
}

/** Removes what daemons left that were killed while they wrote: drafts, one of which may hold a key. */
function sweep(directory: StateDirectory): void {
  for (const file of readdirSync(directory.path)) {
    const writer = /\.(\d+)\.new$|^lock(?:\.stale)?\.(\d+)$/u.exec(file);
    const pid = Number(writer?.[1] ?? writer?.[2] ?? process.pid);
    if (pid !== process.pid && startOf(pid) === undefined) directory.remove(file);
  }
}

function refuse(directory: StateDirectory, holder: string): never {
  const pid = holder.split(' ')[0] ?? '';
  throw new UserError(
    'STATE_LOCKED',
    `Another daemon (process ${pid}) uses the state directory ${directory.path}: stop it first, or give another by --state.`,
  );
}

function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function moveAway(path: string, holder: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  if (textOf(aside) !== holder) linked(aside, path);
  rmSync(aside, { force: true });
}

function release(path: string, mine: string): void {
  if (textOf(path) === mine) rmSync(path, { force: true });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function alive(holder: string): boolean {
  const [pid = '', start = ''] = holder.trim().split(' ');
  return start !== '' && startOf(Number(pid)) === start;
}

/**
 * When a process began, in clock ticks since the machine did (field 22 of /proc/PID/stat); undefined when it is gone, or dead and
 * only not yet buried by its parent (a zombie).
 */
function startOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  const [state = '', ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' || state === 'X' ? undefined : fields[18];
}
