import type { SyntaxNode } from '@lezer/common';
import type { LRParser } from '@lezer/lr';

// Its types are those of an ES module, though there is a CommonJS one too.
const { parser } = require('@prometheus-io/lezer-promql') as { parser: LRParser };

/** What an expression takes from the database. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { label: string; operator: string; value: string }[];
  /** The function of a range, such as `rate`; undefined where the latest value is taken. */
  readonly over: string | undefined;
  /** Labels that what is around it is aggregated by. */
  readonly by: readonly string[];
}

export interface Expression {
  readonly isValid: boolean;
  readonly selectors: readonly Selector[];
  /** Labels by which series are matched with each other. */
  readonly on: readonly string[];
  /** Labels of what comes out, as far as they are certain: those of its left-most aggregation, or else of this metric. */
  readonly result: { readonly labels?: readonly string[]; readonly metric?: string };
}

/** Reads an expression of PromQL by Prometheus' own grammar. */
export function read(text: string): Expression {
  const top = parser.parse(text).topNode;
  const textOf = (node: SyntaxNode | null) => (node === null ? '' : text.slice(node.from, node.to));
  const labelsOf = (node: SyntaxNode | null) => (node === null ? [] : all(node, 'LabelName').map(textOf));

  const selectorOf = (node: SyntaxNode): Selector => {
    const range = node.parent?.name === 'MatrixSelector' ? node.parent.parent?.parent : undefined;
    const by: string[] = [];
    for (let up = node.parent; up !== null; up = up.parent)
      if (up.name === 'AggregateExpr') by.push(...labelsOf(up.getChild('AggregateModifier')));
    return {
      metric: textOf(node.getChild('Identifier')),
      matchers: all(node, 'UnquotedLabelMatcher').map((matcher) => ({
        label: textOf(matcher.getChild('LabelName')),
        operator: textOf(matcher.getChild('MatchOp')),
        value: JSON.parse(textOf(matcher.getChild('StringLiteral'))),
      })),
      over: range ? textOf(range.getChild('FunctionIdentifier')) : undefined,
      by,
    };
  };

  const [first] = all(top, 'AggregateExpr', 'VectorSelector');
  return {
    isValid: all(top, '⚠').length === 0,
    selectors: all(top, 'VectorSelector').map(selectorOf),
    on: all(top, 'MatchingModifierClause').flatMap(labelsOf),
    result:
      first?.name === 'VectorSelector'
        ? { metric: selectorOf(first).metric }
        : { labels: first === undefined ? [] : labelsOf(first.getChild('AggregateModifier')) },
  };
}

/** The nodes of these names, in the order of the text. */
function all(top: SyntaxNode, ...names: readonly string[]): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const cursor = top.cursor();
  do if (names.includes(cursor.name)) found.push(cursor.node);
  while (cursor.next() && cursor.from <= top.to && isWithin(cursor.node, top));
  return found;
}

function isWithin(node: SyntaxNode, top: SyntaxNode): boolean {
  return node.from >= top.from && node.to <= top.to;
}
