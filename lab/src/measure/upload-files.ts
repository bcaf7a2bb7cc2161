import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Content } from './content.ts';

/** Files that hold the beginning of the content, for uploads; made when first asked for. */
export class UploadFiles {
  readonly #folder: string;
  readonly #content: Content;
  readonly #made = new Map<number, string>();

  constructor(folder: string, content: Content) {
    this.#folder = folder;
    this.#content = content;
  }

  /** Path of a file of exactly so many bytes. */
  of(bytes: number): string {
    const already = this.#made.get(bytes);
    if (already !== undefined) return already;
    const path = join(this.#folder, `upload-${bytes}`);
    writeFileSync(path, this.#content.first(bytes));
    this.#made.set(bytes, path);
    return path;
  }

  remove(): void {
    for (const path of this.#made.values()) rmSync(path, { force: true });
    this.#made.clear();
  }
}
