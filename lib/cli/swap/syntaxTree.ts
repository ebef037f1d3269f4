import type ts from 'typescript';
import { type Shape, ShapeBuilder } from './shape.js';

type TypeScript = typeof ts;

/** Reads a file's exports with the project's own compiler, which knows whatever syntax the project uses. */
export function shapeByCompiler(compiler: TypeScript, path: string, text: string): Shape {
  const source = compiler.createSourceFile(path, text, compiler.ScriptTarget.Latest, false);
  const reader = new Reader(compiler);
  for (const statement of source.statements) reader.read(statement);
  return reader.builder.build();
}

class Reader {
  readonly builder = new ShapeBuilder();

  constructor(private readonly ts: TypeScript) {}

  read(node: ts.Statement): void {
    const { ts } = this;
    if (ts.isImportDeclaration(node)) this.#import(node);
    else if (ts.isExportDeclaration(node)) this.#exportList(node);
    else if (ts.isExportAssignment(node))
      this.#exportValue(node.isExportEquals ? '=' : 'default', node.expression);
    else if (ts.isVariableStatement(node)) this.#variables(node);
    else if (ts.isExpressionStatement(node)) this.#commonjs(node.expression);
    else this.#declaration(node);
  }

  #declaration(node: ts.Statement): void {
    const { ts } = this;
    const isType = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    const isValue =
      ts.isFunctionDeclaration(node) || ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node);
    if (!isType && !isValue && !ts.isClassDeclaration(node)) return;
    const name = node.name?.text;
    if (name !== undefined) this.builder.declare(name, isType ? 'type' : isValue ? 'value' : 'class');
    if (!this.#has(node, ts.SyntaxKind.ExportKeyword)) return;
    const exported = this.#has(node, ts.SyntaxKind.DefaultKeyword) ? 'default' : name;
    if (exported === undefined) return;
    if (name === undefined) this.builder.exportExpression(exported);
    else this.builder.export(exported, name, isType);
  }

  #variables(node: ts.VariableStatement): void {
    const exported = this.#has(node, this.ts.SyntaxKind.ExportKeyword);
    for (const { name, initializer } of node.declarationList.declarations) {
      const required = initializer && this.#required(initializer);
      for (const text of this.#bound(name)) {
        this.builder.declare(text, required === undefined ? 'value' : 'unknown', required);
        if (exported) this.builder.export(text, text);
      }
    }
  }

  #bound(name: ts.BindingName): string[] {
    const { ts } = this;
    if (ts.isIdentifier(name)) return [name.text];
    return name.elements.flatMap((element) =>
      ts.isOmittedExpression(element) ? [] : this.#bound(element.name),
    );
  }

  #import(node: ts.ImportDeclaration): void {
    const { importClause: clause, moduleSpecifier } = node;
    if (clause === undefined) return;
    const from = (moduleSpecifier as ts.StringLiteral).text;
    if (clause.name) this.builder.declare(clause.name.text, clause.isTypeOnly ? 'type' : 'unknown', from);
    const { namedBindings } = clause;
    if (namedBindings === undefined || !this.ts.isNamedImports(namedBindings)) return;
    for (const { name, isTypeOnly } of namedBindings.elements) {
      this.builder.declare(name.text, clause.isTypeOnly || isTypeOnly ? 'type' : 'unknown', from);
    }
  }

  #exportList({ exportClause, moduleSpecifier, isTypeOnly }: ts.ExportDeclaration): void {
    const from = (moduleSpecifier as ts.StringLiteral | undefined)?.text;
    if (exportClause === undefined) {
      this.builder.star(from!);
    } else if (this.ts.isNamedExports(exportClause)) {
      for (const { name, propertyName, isTypeOnly: oneType } of exportClause.elements) {
        const local = (propertyName ?? name).text;
        if (from === undefined) this.builder.export(name.text, local, isTypeOnly || oneType);
        else this.builder.exportFrom(name.text, local, from, isTypeOnly || oneType);
      }
    } else {
      this.builder.exportExpression(exportClause.name.text);
    }
  }

  /** `exports.X = …`, `module.exports.X = …`, `module.exports = …`. */
  #commonjs(node: ts.Expression): void {
    const { ts } = this;
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return;
    const { left, right } = node;
    if (!ts.isPropertyAccessExpression(left)) return;
    if (this.#isExports(left)) this.#moduleExports(right);
    else if (this.#isExports(left.expression)) {
      this.builder.commonjs();
      this.#exportValue(left.name.text, right);
    }
  }

  #moduleExports(value: ts.Expression): void {
    const { ts } = this;
    if (!ts.isObjectLiteralExpression(value)) {
      this.#exportValue('=', value);
      return;
    }
    this.builder.commonjs();
    for (const member of value.properties) {
      if (ts.isShorthandPropertyAssignment(member)) this.builder.export(member.name.text, member.name.text);
      else if (ts.isPropertyAssignment(member) && !ts.isComputedPropertyName(member.name)) {
        this.#exportValue(member.name.text, member.initializer);
      } else this.builder.exportExpression(member.name && 'text' in member.name ? member.name.text : '...');
    }
  }

  #isExports(node: ts.Expression): boolean {
    const { ts } = this;
    if (ts.isIdentifier(node)) return node.text === 'exports';
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'exports') return false;
    return ts.isIdentifier(node.expression) && node.expression.text === 'module';
  }

  #exportValue(name: string, value: ts.Expression): void {
    const { ts } = this;
    const member = ts.isPropertyAccessExpression(value) ? this.#required(value.expression) : undefined;
    if (ts.isIdentifier(value)) this.builder.export(name, value.text);
    else if (member !== undefined) {
      this.builder.exportFrom(name, (value as ts.PropertyAccessExpression).name.text, member, false);
    } else if (ts.isNewExpression(value) && ts.isIdentifier(value.expression)) {
      this.builder.exportExpression(name, value.expression.text);
    } else if (ts.isClassExpression(value) && value.name) {
      this.builder.declare(value.name.text, 'class');
      this.builder.export(name, value.name.text);
    } else this.builder.exportExpression(name);
  }

  /** The module of a `require('…')`. */
  #required(node: ts.Expression): string | undefined {
    const { ts } = this;
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
    const [argument] = node.arguments;
    if (node.expression.text !== 'require' || argument === undefined) return undefined;
    return ts.isStringLiteral(argument) ? argument.text : undefined;
  }

  /** By the member that every version of the compiler has; its helpers for this came and went. */
  #has(node: ts.Statement, kind: ts.SyntaxKind): boolean {
    const { modifiers } = node as { modifiers?: readonly ts.ModifierLike[] };
    return modifiers?.some((modifier) => modifier.kind === kind) ?? false;
  }
}
