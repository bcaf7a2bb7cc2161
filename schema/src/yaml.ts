import { isMap, isScalar, LineCounter, type Node, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';

import { isolate, keysAt, sentenceOfIssue } from './issue.ts';

/** What became of a file: the value, or every reason why not, each with its place in the file. */
export type Reading<T> = { ok: true; value: T } | { ok: false; sentences: string[] };

/**
 * Reads YAML text against a schema. Returns the value, or sentences of the form
 * `box.yaml:3:11 uplinks.0.kind: "adls" is not accepted (accepted: adsl, vdsl)`, in the order of the file: all of them, so
 * that a person mends a file once. Never throws; nothing of a bad file is returned. `file` is the name shown.
 */
export function readYaml<T>(file: string, text: string, schema: z.ZodType<T>): Reading<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const sentences = document.errors.map((error) => {
      const [start, end] = error.pos;
      if (error.code !== 'DUPLICATE_KEY') return `${place(start)} not YAML: ${error.message}`;
      const key = /^[^\s:]+/u.exec(text.slice(start, Math.max(end, start + 80)))?.[0] ?? '';
      return `${place(start)} ${key}: this key is given twice`;
    });
    return { ok: false, sentences };
  }
  let data: unknown;
  try {
    data = document.toJS();
  } catch (error) {
    return {
      ok: false,
      sentences: [`${place(0)} not YAML: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
  const parsed = schema.safeParse(data, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  const found = parsed.error.issues
    .flatMap((issue) => isolate(issue))
    .flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      return keys.map((key) => {
        const path = key === undefined ? issue.path : [...issue.path, key];
        const offset = offsetOf(document, issue.path, key);
        const name = path.length === 0 ? '' : ` ${path.map(String).join('.')}`;
        const said = sentenceOfIssue(issue, keysAt(schema, issue.path, data));
        return { offset, sentence: `${place(offset)}${name}: ${said}` };
      });
    });
  found.sort((a, b) => a.offset - b.offset);
  return { ok: false, sentences: found.map((f) => f.sentence) };
}

/** Where a path of the value (or a key of the map there) begins in the text; the nearest parent's place if it is missing. */
function offsetOf(document: Document, path: readonly PropertyKey[], key: string | undefined): number {
  for (let length = path.length; length >= 0; length--) {
    const node = nodeAt(document, path.slice(0, length));
    if (!node?.range) continue;
    if (key !== undefined && isMap(node)) {
      for (const pair of node.items) {
        const name: unknown = pair.key;
        if (isScalar(name) && String(name.value) === key && name.range) return name.range[0];
      }
    }
    return node.range[0];
  }
  return 0;
}

function nodeAt(document: Document, path: readonly PropertyKey[]): Node | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  return node !== null && typeof node === 'object' && 'range' in node ? (node as Node) : undefined;
}
