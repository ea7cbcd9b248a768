import { type Cell, shownText, type Table } from './table.js';

/** A table in Markdown, as GitHub reads it: numbers to the right, with the digits that are shown. */
export function markdownTable({ columns, rows }: Table): string {
  const lines = [
    columns.map(({ name }) => name),
    columns.map(({ isNumeric }) => (isNumeric ? '---:' : '---')),
    ...rows.map((row) => row.map(shownText)),
  ];
  return lines.map((line) => `| ${line.map(markdownCell).join(' | ')} |`).join('\n');
}

/** Comma-separated values (RFC 4180) under a line of headings; numbers with all their digits. */
export function csvTable({ columns, rows }: Table): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map(fullText))];
  return lines.map((line) => line.map(csvCell).join(',')).join('\n');
}

/** A table in LaTeX, for the package booktabs: numbers to the right, with the digits that are shown. */
export function latexTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `  ${cells.join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{${columns.map(({ isNumeric }) => (isNumeric ? 'r' : 'l')).join('')}}`,
    '  \\toprule',
    line(columns.map(({ name }) => latexText(name))),
    '  \\midrule',
    ...rows.map((row) => line(row.map(latexCell))),
    '  \\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

/**
 * One JSON object on one line: `columns`, their names, and `rows`, arrays of texts and numbers with all their digits; null where there
 * is no value.
 */
export function jsonTable({ columns, rows }: Table): string {
  return JSON.stringify({
    columns: columns.map(({ name }) => name),
    rows: rows.map((row) => row.map(jsonValue)),
  });
}

function fullText(cell: Cell): string {
  return typeof cell === 'string' ? cell : String(cell.value);
}

function jsonValue(cell: Cell): string | number | null {
  if (typeof cell !== 'string') return cell.value;
  return cell === '' ? null : cell;
}

function markdownCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/[\r\n]+/g, ' ');
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function latexCell(cell: Cell): string {
  if (typeof cell === 'string') return latexText(cell);
  return /^[-<]/.test(cell.text) ? `$${cell.text}$` : cell.text;
}

const LATEX_CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
};

function latexText(text: string): string {
  return text
    .replace(/[\\~^<>|{}&%$#_]/g, (character) => LATEX_CHARACTERS[character] ?? `\\${character}`)
    .replace(/[\r\n]+/g, ' ');
}
