// A mailbox on this machine for tests: it takes whatever is handed over by SMTP, and keeps what was written.

import { createServer } from 'node:net';

/** The six digits a letter says, however its body is written. */
function digitsOf(letter) {
  const place = letter.indexOf('\r\n\r\n');
  const body = letter.slice(place).trim();
  const text = /^content-transfer-encoding: *base64/im.test(letter.slice(0, place)) ? Buffer.from(body, 'base64').toString() : body;
  const digits = /\b(\d{3}) ?(\d{3})\b/.exec(text);
  if (!digits) throw new Error(`no code in: ${letter}`);
  return digits[1] + digits[2];
}

/** Where a letter's link leads: to this page of the shop. */
function linkOf(letter, page) {
  const link = new RegExp(`http://[\\w.:-]+${page}/\\w+`).exec(letter);
  if (!link) throw new Error(`no link to ${page} in: ${letter}`);
  return link[0];
}

/** Opens it: where mail is handed over, what the newest letter to somebody brings, and how to close it. */
export async function openMailbox() {
  const letters = [];
  const server = createServer((socket) => {
    let [text, to, isData] = ['', '', false];
    const say = (line) => socket.write(`${line}\r\n`);
    say('220 mailbox');
    socket.on('error', () => {});
    socket.on('data', (part) => {
      text += part;
      for (let end; (end = text.indexOf(isData ? '\r\n.\r\n' : '\r\n')) >= 0; ) {
        const line = text.slice(0, end);
        text = text.slice(end + (isData ? 5 : 2));
        if (isData) {
          letters.push({ to, text: line });
          isData = false;
          say('250 kept');
        } else if (/^DATA/i.test(line)) {
          isData = true;
          say('354 go on');
        } else if (/^RCPT/i.test(line)) {
          to = /<(.*)>/.exec(line)[1].toLowerCase();
          say('250 known');
        } else if (/^QUIT/i.test(line)) {
          say('221 good bye');
          socket.end();
        } else {
          say('250 mailbox');
        }
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  /** The newest letter to an address, once there are so many letters. */
  async function newest(to, many) {
    for (let look = 0; look < 200; look += 1) {
      const found = letters.filter((letter) => letter.to === to);
      if (found.length >= many) return found.at(-1).text;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no mail came to ${to}`);
  }
  /** The six digits it brings. */
  const code = async (to, many = 1) => digitsOf(await newest(to, many));
  /** The link to a page of the shop it brings. */
  const link = async (to, page, many = 1) => linkOf(await newest(to, many), page);
  return { server: `smtp://127.0.0.1:${server.address().port}`, code, link, close: () => new Promise((resolve) => server.close(resolve)) };
}
