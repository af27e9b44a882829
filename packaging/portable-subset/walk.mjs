import { parse } from '@babel/parser';
import { ALLOWED, RULES, TYPE_KEYS, TYPE_STATEMENTS } from './rules.mjs';

/** Bookkeeping of the parser, and names that are no references. */
const SKIPPED_KEYS = new Set([
  'loc',
  'extra',
  'errors',
  'comments',
  'leadingComments',
  'trailingComments',
  'innerComments',
]);

const isNode = (value) => typeof value === 'object' && value !== null && typeof value.type === 'string';

/** The names in `declare function name(…)` and `declare const name:` of a declaration file. @param {string} text @returns {string[]} */
export const declaredNames = (text) =>
  [...text.matchAll(/^declare (?:function|const) (\w+)/gm)].map(([, name]) => name);

/**
 * Finds what is outside the subset. Names must be declared before they are used, textually: ucode looks a name up when it compiles, and a
 * `const` is not there yet in its own initial value.
 * @param {string} text
 * @param {{ builtins: string[], isPortable: (source: string) => boolean }} known builtin functions, and which imports are portable too
 * @returns {{ line: number, reason: string }[]}
 */
export const findProblems = (text, { builtins, isPortable }) => {
  const problems = [];
  const report = (node, reason) => problems.push({ line: node.loc.start.line, reason });
  /** Innermost scope last. */
  const scopes = [new Set(builtins)];
  const declare = (name) => scopes.at(-1).add(name);

  const inScope = (visit) => {
    scopes.push(new Set());
    visit();
    scopes.pop();
  };
  const children = (node, except = []) => {
    for (const [key, value] of Object.entries(node)) {
      if (SKIPPED_KEYS.has(key) || TYPE_KEYS.has(key) || except.includes(key)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    }
  };
  const visitFunction = (node) => {
    if (node.type === 'FunctionDeclaration') declare(node.id.name);
    inScope(() => {
      for (const param of node.params) {
        const name = param.type === 'RestElement' ? param.argument : param;
        if (name.type === 'Identifier') declare(name.name);
      }
      visit(node.body);
    });
  };

  const special = {
    ImportDeclaration: (node) => {
      for (const specifier of node.specifiers) {
        if (specifier.type !== 'ImportSpecifier') report(specifier, `${specifier.type}: import by name`);
        else if (specifier.importKind !== 'type') declare(specifier.local.name);
      }
      const isUsed = node.specifiers.length === 0 || node.specifiers.some(({ importKind }) => importKind !== 'type');
      if (isUsed && !isPortable(node.source.value))
        report(node, `"${node.source.value}" is not portable: import its types only`);
    },
    FunctionDeclaration: visitFunction,
    FunctionExpression: visitFunction,
    ArrowFunctionExpression: visitFunction,
    BlockStatement: (node) => inScope(() => children(node)),
    ForStatement: (node) => inScope(() => children(node)),
    SwitchStatement: (node) => inScope(() => children(node)),
    CatchClause: (node) =>
      inScope(() => {
        if (node.param?.type === 'Identifier') declare(node.param.name);
        visit(node.body);
      }),
    VariableDeclarator: (node) => {
      if (node.init) visit(node.init);
      if (node.id.type === 'Identifier') declare(node.id.name);
    },
    MemberExpression: (node) => children(node, node.computed ? [] : ['property']),
    OptionalMemberExpression: (node) => children(node, node.computed ? [] : ['property']),
    ObjectProperty: (node) => children(node, node.computed ? [] : ['key']),
    ExportSpecifier: (node) => visit(node.local),
    Identifier: (node) => {
      if (!scopes.some((scope) => scope.has(node.name)))
        report(node, `"${node.name}" is neither declared above nor a builtin of ucode`);
    },
  };

  const visit = (node) => {
    if (TYPE_STATEMENTS.has(node.type)) return;
    if ((node.type === 'ImportDeclaration' && node.importKind === 'type') || node.exportKind === 'type') return;
    if (!ALLOWED.has(node.type)) {
      report(node, `${node.type}: not in the portable subset`);
      return;
    }
    const reason = RULES[node.type]?.(node) ?? null;
    if (reason !== null) report(node, reason);
    (special[node.type] ?? children)(node);
  };
  for (const statement of parse(text, { sourceType: 'module', plugins: ['typescript'] }).program.body) visit(statement);
  return problems;
};
