/**
 * URL of a module of this package, for a thread to import: of the build that runs, or, where TypeScript itself runs, of the
 * compiled ES module.
 *
 * @param file - of the module, relative to the folder of all modules, ending in `.js`
 * @returns undefined where there is no such file, as in a bundle
 */
declare function moduleUrl(file: string): string | undefined;
export = moduleUrl;
