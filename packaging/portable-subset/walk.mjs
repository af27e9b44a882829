import { parse } from '@babel/parser';
import { ALLOWED, RESERVED, RULES, TYPE_KEYS, TYPE_STATEMENTS } from './rules.mjs';

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
  const declare = (node) => {
    if (RESERVED.has(node.name)) report(node, `"${node.name}": a keyword of ucode`);
    scopes.at(-1).add(node.name);
  };
  /** Scopes of functions, and of what stands in the brackets of `for`. */
  const functions = new WeakSet();
  const loops = new WeakSet();

  const inScope = (visit, kind = new WeakSet()) => {
    const scope = new Set();
    kind.add(scope);
    scopes.push(scope);
    visit();
    scopes.pop();
  };
  const find = (name) => scopes.findLastIndex((scope) => scope.has(name));
  const children = (node, except = []) => {
    for (const [key, value] of Object.entries(node)) {
      if (SKIPPED_KEYS.has(key) || TYPE_KEYS.has(key) || except.includes(key)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    }
  };
  const visitFunction = (node) => {
    if (node.type === 'FunctionDeclaration') declare(node.id);
    inScope(() => {
      for (const param of node.params) {
        const name = param.type === 'RestElement' ? param.argument : param;
        if (name.type === 'Identifier') declare(name);
      }
      visit(node.body);
    }, functions);
  };

  const special = {
    ImportDeclaration: (node) => {
      for (const specifier of node.specifiers) {
        if (specifier.type !== 'ImportSpecifier') report(specifier, `${specifier.type}: import by name`);
        else if (specifier.importKind !== 'type') {
          declare(specifier.local);
          if (specifier.imported.name !== specifier.local.name)
            report(specifier, 'another name: all files are one scope');
        }
      }
      const isUsed = node.specifiers.length === 0 || node.specifiers.some(({ importKind }) => importKind !== 'type');
      if (isUsed && !isPortable(node.source.value))
        report(node, `"${node.source.value}" is not portable: import its types only`);
    },
    FunctionDeclaration: visitFunction,
    FunctionExpression: visitFunction,
    ArrowFunctionExpression: visitFunction,
    BlockStatement: (node) => inScope(() => children(node)),
    ForStatement: (node) => inScope(() => children(node), loops),
    SwitchStatement: (node) => inScope(() => children(node)),
    CatchClause: (node) =>
      inScope(() => {
        if (node.param?.type === 'Identifier') declare(node.param);
        visit(node.body);
      }),
    VariableDeclarator: (node) => {
      if (node.init) visit(node.init);
      if (node.id.type === 'Identifier') declare(node.id);
    },
    MemberExpression: (node) => children(node, node.computed ? [] : ['property']),
    OptionalMemberExpression: (node) => children(node, node.computed ? [] : ['property']),
    ObjectProperty: (node) => children(node, node.computed ? [] : ['key']),
    ExportSpecifier: (node) => {
      visit(node.local);
      if (node.local.name !== node.exported.name) report(node, 'another name: all files are one scope');
    },
    Identifier: (node) => {
      const at = find(node.name);
      if (at < 0) report(node, `"${node.name}" is neither declared above nor a builtin of ucode`);
      else if (loops.has(scopes[at]) && scopes.slice(at).some((scope) => functions.has(scope)))
        report(node, `"${node.name}" is one variable for all rounds in ucode: copy it into a const inside`);
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
