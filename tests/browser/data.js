// What a page knows.

const DATA = /(<script type="application\/json" id="data">)(.*?)(<\/script>)/s;

/** @param {string} html */
export const dataOf = (html) => JSON.parse(DATA.exec(html)[2]);

/** The page with other data; the scripts are the same. @param {string} html @param {(data: any) => any} change */
export function changed(html, change) {
  const data = dataOf(html);
  const text = JSON.stringify(change(data) ?? data).replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return html.replace(DATA, (_, start, __, end) => start + text + end);
}
