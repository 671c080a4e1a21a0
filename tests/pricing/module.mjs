// The till's price engine: what a host does to ask the WebAssembly module, in one function.
import { readFileSync } from 'node:fs';

export const MODULE = 'target/wasm32-unknown-unknown/till/pricing_wasm.wasm';

// Opens the module and answers how it is asked: a question in JSON, an answer in JSON.
export async function open() {
  const { instance } = await WebAssembly.instantiate(readFileSync(MODULE), {});
  const { memory, room, ask, answer } = instance.exports;
  const words = { in: new TextEncoder(), out: new TextDecoder() };
  return (question) => {
    const written = words.in.encode(question);
    const at = room(written.length);
    new Uint8Array(memory.buffer, at, written.length).set(written);
    const length = ask();
    return words.out.decode(new Uint8Array(memory.buffer, answer(), length));
  };
}
