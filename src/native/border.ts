/** What this TypeScript takes the addon to be; scripts/native-border.mjs writes it. */
export const BORDER = 'd01149d533819c38';
