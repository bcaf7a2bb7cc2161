import { accessSync, constants, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sentenceOf, UserError } from '@tresse/kit';

/** Room a daemon needs for what it writes while it runs, bytes. */
const probeBytes = 16_384;

/** A state directory that is only looked at. */
export interface StateReader {
  readonly path: string;
  /** The path of a file in it. */
  file(this: void, name: string): string;
  /** A file's text, or undefined when there is none. Throws UserError `STATE_UNREADABLE`. */
  read(this: void, name: string): string | undefined;
}

/** Where a daemon keeps its identity, its lock, its socket and what it must remember over a kill. */
export interface StateDirectory extends StateReader {
  /** Replaces a file in one step, readable by its owner alone. Throws UserError `STATE_UNWRITABLE`. */
  write(name: string, text: string): void;
  /** Makes a file like {@link write}, unless there is one. Returns whether it did. Throws UserError `STATE_UNWRITABLE`. */
  make(name: string, text: string): boolean;
  /** Removes a file, if it is there. */
  remove(name: string): void;
}

/** Opens a state directory, made with mode 0700 if missing. Throws UserError `STATE_UNWRITABLE`. */
export function openStateDirectory(path: string): StateDirectory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    // A full disk shows only when something is written: better now than when half of everything is set up.
    const probe = join(path, `probe.${process.pid}.new`);
    try {
      writeFileSync(probe, Buffer.alloc(probeBytes), { mode: 0o600, flush: true });
    } finally {
      rmSync(probe, { force: true });
    }
  } catch (error) {
    throw new UserError(
      'STATE_UNWRITABLE',
      `The state directory ${path} cannot be written (${sentenceOf(error)}): ${wayOut(error)}.`,
      error,
    );
  }
  const reader = readStateDirectory(path);
  const { file } = reader;
  return {
    ...reader,
    write: (name, text) => {
      writeWhole(file(name), text);
    },
    make: (name, text) => makeWhole(file(name), text),
    remove: (name) => {
      rmSync(file(name), { force: true });
    },
  };
}

/** A state directory as it is, also one that is not there: nothing is made or changed. */
export function readStateDirectory(path: string): StateReader {
  const file = (name: string): string => join(path, name);
  return {
    path,
    file,
    read: (name) => {
      try {
        return readFileSync(file(name), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new UserError('STATE_UNREADABLE', `${file(name)} cannot be read (${sentenceOf(error)}).`, error);
      }
    },
  };
}

function wayOut(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'make room there, or give another by --state';
  if (code === 'EROFS') return 'mount it for writing, or give another by --state';
  return 'give another by --state, or run as root';
}

function writeWhole(path: string, text: string): void {
  throughDraft(path, text, (draft) => renameSync(draft, path));
}

function makeWhole(path: string, text: string): boolean {
  return throughDraft(path, text, (draft) => {
    try {
      linkSync(draft, path);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  });
}

/** Whole or not at all: nobody reads half a file, and a full disk leaves what was there. */
function throughDraft<T>(path: string, text: string, settle: (draft: string) => T): T {
  const draft = `${path}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    return settle(draft);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new UserError('STATE_UNWRITABLE', `${path} cannot be written (${sentenceOf(error)}).`, error);
  }
}

/** Whether an error of node:fs says that the file is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
