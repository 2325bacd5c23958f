/** What the programs that tests start use of Node.js. */

declare module "node:readline" {
  export function createInterface(options: { input: unknown }): AsyncIterable<string>;
}

declare const process: {
  readonly argv: readonly string[];
  readonly stdin: unknown;
  exit(code: number): never;
};
