// A till that is off line: answers each line of JSON it is given with a line, by the WebAssembly module alone.
import { readFileSync } from 'node:fs';
import { open } from './module.mjs';

const ask = await open();
const questions = readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
process.stdout.write(questions.map((question) => `${ask(question)}\n`).join(''));
