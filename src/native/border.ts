/** What this TypeScript takes the addon to be; scripts/native-border.mjs writes it. */
export const BORDER = '0ed9d403735c57a5';
