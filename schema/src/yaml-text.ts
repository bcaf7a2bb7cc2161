import { Document, isCollection, isSeq, visit } from 'yaml';

/** A value as YAML in block form, lists of plain values on one line; ends with a line end. */
export function yamlText(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Seq: (_, node) => {
      if (!node.items.some((item) => isCollection(item))) node.flow = true;
    },
    Map: (_, node, path) => {
      // An empty map has no block form.
      if (node.items.length === 0 && !isSeq(path.at(-1))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: true });
}
