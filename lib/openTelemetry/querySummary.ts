/** Characters that a summary may have. */
const LONGEST = 255;
/** Characters of a statement that are looked at. */
const LOOKED_AT = 2000;
/** Statements that are remembered: those with values in their text would be without end. */
const MOST = 500;

const NAME = String.raw`(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+"|\x60[^\x60]+\x60|\[[^\]]+\])`;
/** Comments and strings, which say nothing; names with their dots, and words; what opens, closes and separates. */
const TOKENS = new RegExp(
  [
    String.raw`--[^\n]*|/\*[\s\S]*?(?:\*/|$)|'(?:[^']|'')*(?:'|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$)`,
    String.raw`(?<word>${NAME}(?:\.${NAME})*)|(?<sign>[(),;])`,
  ].join('|'),
  'gu',
);

/** Operations that may be anywhere in a statement; others are its first word. */
const OPERATIONS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
/** After these, the former are no operations: FOR UPDATE, ON CONFLICT DO UPDATE, ON DELETE CASCADE. */
const CLAUSES = new Set(['FOR', 'KEY', 'DO', 'ON', 'THEN']);
/** Of what kind something is that is created, altered, dropped, begun. */
const KINDS = new Set(['TABLE', 'VIEW', 'INDEX', 'TRANSACTION']);
/** What comes next is what an operation is on. */
const BEFORE_TARGET = new Set([
  ...['FROM', 'INTO', 'JOIN', 'UPDATE', 'TABLE', 'VIEW', 'INDEX'],
  ...['CALL', 'TRUNCATE', 'REPLACE'],
]);
/** Words between these and that. */
const BETWEEN = new Set(['IF', 'NOT', 'EXISTS', 'ONLY', 'LATERAL', 'INTO', 'TABLE', 'IGNORE']);
/** What ends the list of a FROM. */
const AFTER_LIST = new Set(['WHERE', 'GROUP', 'ORDER', 'HAVING', 'LIMIT', 'SET', 'ON', 'USING', 'WINDOW']);

/** Between two brackets. */
interface Level {
  /** Whether an operation is at this level, so that a FROM is one of a statement, not of a function. */
  isStatement: boolean;
  /** Whether a comma is followed by one more of what is read from. */
  isList: boolean;
}

const known = new Map<string, string>();

/**
 * A statement's operations and what they are on, in their order and as they are written: OpenTelemetry's `db.query.summary`.
 * Statements of other kinds are told by their first word. No value is ever in it.
 */
export function summaryOf(sql: string): string {
  const found = known.get(sql);
  if (found !== undefined) return found;
  // Whether a backslash escapes a quote depends on the database: what comes after it may be a value.
  const summary = shortened(partsOf(sql.slice(0, LOOKED_AT).split('\\', 1)[0]!));
  if (sql.length > LOOKED_AT) return summary;
  if (known.size === MOST) known.clear();
  known.set(sql, summary);
  return summary;
}

function partsOf(sql: string): string[] {
  const parts: string[] = [];
  const levels: Level[] = [{ isStatement: false, isList: false }];
  let isFirst = true;
  let isTarget = false;
  let last = '';
  for (const { groups } of sql.matchAll(TOKENS)) {
    const { word, sign } = groups!;
    const level = levels.at(-1)!;
    if (sign !== undefined) {
      isTarget = sign === ',' && level.isList;
      if (sign === '(') levels.push({ isStatement: false, isList: false });
      else if (sign === ')' && levels.length > 1) levels.pop();
      else if (sign === ';') [isFirst, level.isStatement, level.isList] = [true, false, false];
    } else if (word !== undefined) {
      const upper = word.toUpperCase();
      const isOperation = isFirst ? upper !== 'WITH' : OPERATIONS.has(upper) && !CLAUSES.has(last);
      if (isOperation) {
        level.isStatement = true;
        parts.push(word);
        isTarget = BEFORE_TARGET.has(upper);
      } else if (isTarget) {
        if (!BETWEEN.has(upper)) {
          parts.push(word);
          isTarget = false;
        }
      } else if (level.isStatement && last !== 'DISTINCT') {
        if (KINDS.has(upper) && parts.length === 1) parts.push(word);
        isTarget = BEFORE_TARGET.has(upper) && !OPERATIONS.has(upper);
        level.isList = upper === 'FROM' || (level.isList && !AFTER_LIST.has(upper));
      }
      isFirst = false;
      last = upper;
    }
  }
  return parts;
}

/** No part is cut in two. */
function shortened(parts: readonly string[]): string {
  let summary = '';
  for (const part of parts) {
    const longer = summary === '' ? part : `${summary} ${part}`;
    if (longer.length > LONGEST) break;
    summary = longer;
  }
  return summary;
}
