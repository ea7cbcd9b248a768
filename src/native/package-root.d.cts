/**
 * Folder of the installed package: the nearest one upwards whose `package.json` has a name (`dist/cjs/package.json` has
 * none).
 *
 * @throws Error where there is none, as in a bundle that was moved away from the package
 */
declare function packageRoot(): string;
export = packageRoot;
