/**
 * The portable subset of TypeScript (docs: one agent core, two hosts): what is valid ucode once the types are stripped. An allow-list, so
 * what is not named here is refused.
 */

/** Types are stripped: these keys and statements are not looked into. */
export const TYPE_KEYS = new Set(['typeAnnotation', 'returnType', 'typeParameters', 'typeArguments', 'predicate']);
export const TYPE_STATEMENTS = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration']);

export const ALLOWED = new Set(
  `ImportDeclaration ImportSpecifier ExportNamedDeclaration ExportSpecifier VariableDeclaration VariableDeclarator FunctionDeclaration
  ArrowFunctionExpression FunctionExpression BlockStatement ExpressionStatement ReturnStatement IfStatement ForStatement WhileStatement
  SwitchStatement SwitchCase BreakStatement ContinueStatement TryStatement CatchClause Identifier StringLiteral NumericLiteral
  BooleanLiteral NullLiteral RegExpLiteral TemplateLiteral TemplateElement ArrayExpression ObjectExpression ObjectProperty SpreadElement
  RestElement CallExpression OptionalCallExpression MemberExpression OptionalMemberExpression BinaryExpression LogicalExpression
  UnaryExpression UpdateExpression AssignmentExpression ConditionalExpression TSAsExpression TSSatisfiesExpression`.split(
    /\s+/,
  ),
);

/** Names in TypeScript, keywords in ucode. */
export const RESERVED = new Set(['as', 'elif', 'endfor', 'endfunction', 'endif', 'endwhile', 'from']);

const OPERATORS = new Set('+ - * / % ** < > <= >= === !== == != & | ^ << >>'.split(' '));
const UNARY = new Set(['!', '-', '+', '~']);

/** Names that a value of JavaScript answers to and one of ucode does not. */
const METHODS = new Set(
  [Array, String, Number, RegExp, Object, Function, Map, Set, Promise].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype),
  ),
);

const isNull = (node) => node.type === 'NullLiteral';

/** What is wrong with each kind of node; a rule gives the reason, or null. @type {Record<string, (node: any) => string | null>} */
export const RULES = {
  VariableDeclaration: ({ kind }) => (kind === 'const' || kind === 'let' ? null : `"${kind}": use const or let`),
  VariableDeclarator: ({ id }) => (id.type === 'Identifier' ? null : 'destructuring: take the parts one by one'),
  FunctionDeclaration: (node) => functionProblem(node),
  FunctionExpression: (node) => functionProblem(node),
  ArrowFunctionExpression: (node) => functionProblem(node),
  CatchClause: ({ param }) => (param === null || param.type === 'Identifier' ? null : 'destructuring'),
  TryStatement: ({ finalizer }) => (finalizer ? '"finally": ucode has none' : null),
  BreakStatement: ({ label }) => (label ? 'a label' : null),
  ContinueStatement: ({ label }) => (label ? 'a label' : null),
  ObjectProperty: ({ computed, key }) =>
    computed || key.type === 'Identifier' || key.type === 'StringLiteral'
      ? null
      : 'a key that is neither name nor text',
  ArrayExpression: ({ elements }) => (elements.includes(null) ? 'a hole in an array' : null),
  UnaryExpression: ({ operator }) =>
    UNARY.has(operator) ? null : `"${operator}": ucode has none, use type() and null`,
  BinaryExpression: ({ operator, left, right }) => {
    if (!OPERATORS.has(operator)) return `"${operator}": means something else in ucode, or nothing`;
    const withNull = isNull(left) || isNull(right);
    if (/^[!=]==$/.test(operator) && withNull)
      return `"${operator}" with null: use "${operator[0]}=", as Node has undefined`;
    const isLoose = operator === '==' || operator === '!=';
    return isLoose && !withNull ? `"${operator}" only with null: use "${operator}="` : null;
  },
  AssignmentExpression: ({ left }) =>
    left.type.endsWith('Pattern') ? 'destructuring: take the parts one by one' : null,
  MemberExpression: (node) => memberProblem(node),
  OptionalMemberExpression: (node) => memberProblem(node),
  CallExpression: (node) => callProblem(node),
  OptionalCallExpression: (node) => callProblem(node),
  ExportNamedDeclaration: ({ source }) => (source ? 're-export: import it where it is needed' : null),
  RegExpLiteral: ({ pattern, flags }) => {
    if (/\(\?/.test(pattern)) return 'a group with "(?": POSIX has none';
    if (/\\[a-zA-Z0-9]/.test(pattern)) return 'an escape with a letter or digit: write the class out, as [0-9]';
    const classes = pattern.match(/\\.|\[(?:\\.|[^\]\\])*\]/g)?.filter((part) => part.startsWith('[')) ?? [];
    if (classes.some((one) => one.includes('\\'))) return 'a "\\" in a class: POSIX takes it for itself';
    if (classes.some((one) => one.includes('/'))) return 'a "/" in a class: ucode ends the expression there';
    return /^[gi]*$/.test(flags) ? null : `regular expression flags "${flags}"`;
  },
};

/** Whether nothing comes after a loop: its exit would lead out of the function's code. @param {any} node @returns {boolean} */
const endsWithWhile = (node) => {
  if (node?.type === 'BlockStatement') return endsWithWhile(node.body.at(-1));
  if (node?.type === 'IfStatement') return endsWithWhile(node.consequent) || endsWithWhile(node.alternate);
  return node?.type === 'WhileStatement' || (node?.type === 'ForStatement' && node.init === null);
};

const functionProblem = ({ type: kind, body, async, generator, params }) => {
  if (async) return 'async: ucode has no promises';
  if (generator) return 'a generator';
  if (kind === 'ArrowFunctionExpression' && endsWithWhile(body))
    return 'an arrow function that ends with "while": ucode of 22.03 breaks its jump, make it a function';
  for (const { type } of params) {
    if (type === 'AssignmentPattern') return 'a default parameter: use ??';
    if (type === 'ObjectPattern' || type === 'ArrayPattern') return 'destructuring: take the parts one by one';
  }
  return null;
};

const memberProblem = ({ computed, property }) =>
  !computed && property.name === 'length' ? '".length": use length()' : null;

const callProblem = ({ callee }) =>
  callee.type.endsWith('MemberExpression') && !callee.computed && METHODS.has(callee.property.name)
    ? `".${callee.property.name}()": values have no methods in ucode, use a builtin`
    : null;
