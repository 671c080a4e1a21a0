// A customer's eyes for the tests: a real browser, and a careful look at the page it shows.

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

/** A phone in one hand, a tablet on the counter, a PC at a desk, and a wide screen. */
export const PHONE = { width: 390, height: 844 };
export const TABLET = { width: 820, height: 1180 };
export const DESK = { width: 1280, height: 800 };
export const DESK_WIDE = { width: 1440, height: 900 };

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox', // the tests run as root on build machines, where Chromium refuses its sandbox
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with an empty profile. Close it at the end. */
export function openBrowser() {
  return chromium.launch({ executablePath: PROGRAM, headless: true, args: FLAGS });
}

/**
 * What keeps a person from using the page: the rules of WCAG 2.2 AA that a program can check, fields without a label, and
 * a page wider than its screen. One sentence each; none is the goal. The page must come from a context (`newContext`).
 */
export async function obstacles(page) {
  const report = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const broken = report.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${rule.help}: ${node.html}`),
  );
  return [...broken, ...(await unlabelledFields(page)), ...(await overflow(page))];
}

/** Fields whose only name is a placeholder, which is gone once something is typed. Axe lets them pass. */
function unlabelledFields(page) {
  return page.evaluate(() => {
    const fields = document.querySelectorAll(
      'input:not([type=hidden], [type=submit], [type=button], [type=reset], [type=image]), select, textarea',
    );
    const named = (field) =>
      field.labels.length > 0 || field.ariaLabel || field.getAttribute('aria-labelledby') || field.title;
    return [...fields].filter((field) => !named(field)).map((field) => `no label: ${field.outerHTML}`);
  });
}

/** A page that must be pushed sideways to be read. */
function overflow(page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`page is ${scrollWidth} wide on a screen of ${clientWidth}`] : [];
  });
}
