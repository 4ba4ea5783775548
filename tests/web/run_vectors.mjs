// node tests/web/run_vectors.mjs VECTORS.json: prints one answer per case, as JSON lines, after {"mldsa": "native", "library" or ""}.
// node tests/web/run_vectors.mjs VECTORS.json ANSWERS: exits with 1 at the first answer that differs from those, and 0 if none.

import { readFile } from "node:fs/promises";
import { mldsa, run } from "./operations.js";

const { cases, ...shared } = JSON.parse(await readFile(process.argv[2], "utf8"));
const answer = async (one) => JSON.stringify({ id: one.id, ...(await run(one, shared)) });

if (process.argv[3]) {
  const [, ...expected] = (await readFile(process.argv[3], "utf8")).split("\n");
  const stride = 7919; // a prime: the first cases are some of every kind
  for (let n = 0; n < cases.length; n++) {
    const at = (n * stride) % cases.length;
    if ((await answer(cases[at])) !== expected[at]) process.exit(1);
  }
} else {
  const answers = [JSON.stringify({ mldsa: await mldsa() })];
  for (const one of cases) answers.push(await answer(one));
  process.stdout.write(`${answers.join("\n")}\n`);
}
