// Holds what a node answered against the types of JSON-RPC 0.9 that starknet.js has.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const types = "@starknet-io/starknet-types-09";
const modules = fileURLToPath(new URL("node_modules", import.meta.url)); // import.meta.dirname needs Node 20.11
const answers = new Map(); // results by method

/** recorded is fetch, for RpcProvider; it keeps the results of each method. */
export async function recorded(url, init) {
  const answer = await fetch(url, init);
  const { method } = JSON.parse(init.body);
  const { result } = await answer.clone().json();
  if (result !== undefined) answers.set(method, [...(answers.get(method) ?? []), result]);
  return answer;
}

/** wellTyped lets the compiler find answers that lack a field, have one too much or of another type. */
export async function wellTyped() {
  const methods = await readFile(join(modules, types, "dist/types/api/methods.d.ts"), "utf8");
  const lines = [`import type { API } from "${types}";`];
  for (const [method, results] of answers) {
    assert.match(methods, new RegExp(`\\b${method}: \\{`), `the specification has no ${method}`);
    for (const r of results) lines.push(`export const v${lines.length}: API.Methods["${method}"]["result"] = ${JSON.stringify(r)};`);
  }
  assert.ok(answers.size >= 20, `answers to ${answers.size} methods only`);
  const dir = await mkdtemp(join(modules, ".answers-"));
  try {
    await writeFile(join(dir, "answers.mts"), lines.join("\n"));
    const tsc = [join(modules, "typescript/bin/tsc"), "--noEmit", "--strict", "--module", "nodenext", "--skipLibCheck", "answers.mts"];
    const wrong = await promisify(execFile)(process.execPath, tsc, { cwd: dir, maxBuffer: 1 << 26 }).then(() => "", (e) => e.stdout || e.message);
    assert.equal(wrong, "");
  } finally {
    await rm(dir, { recursive: true });
  }
}
