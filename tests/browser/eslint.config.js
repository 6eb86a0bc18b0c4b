// The rules for the page's scripts: mistakes, and anything that could make markup or code of text.
const browser = ['document', 'window', 'location', 'history', 'navigator', 'getSelection', 'addEventListener', 'Node', 'ResizeObserver', 'TextDecoder', 'atob', 'console'];

export default [
  {
    files: ['html/*.js'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: Object.fromEntries(browser.map((name) => [name, 'readonly'])) },
    rules: {
      'no-undef': 'error', 'no-unused-vars': 'error', 'no-shadow-restricted-names': 'error', 'no-redeclare': 'error', 'no-unreachable': 'error',
      'no-dupe-keys': 'error', 'no-fallthrough': 'error', 'no-cond-assign': ['error', 'except-parens'], 'no-self-compare': 'error', 'no-constant-condition': 'error',
      'no-control-regex': 'error', 'no-eval': 'error', 'no-implied-eval': 'error', 'no-new-func': 'error', 'no-script-url': 'error', 'prefer-const': 'error', eqeqeq: 'error',
      'no-restricted-properties': ['error', ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'write', 'writeln', 'srcdoc'].map((property) => ({ property }))],
      'no-restricted-globals': ['error', 'fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'eval'],
    },
  },
];
