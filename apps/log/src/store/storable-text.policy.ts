/** PostgreSQL's text takes neither U+0000 nor half a surrogate pair; a function may print both. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
